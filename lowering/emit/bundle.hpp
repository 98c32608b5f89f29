// The kernels of a plan in one file, for dumps. Each keeps its own text and its own reference, in a
// namespace of its own, so that their verbs and types do not meet; under TILEWRIGHT_MAIN one main()
// runs the checks of all (standalone.hpp). One kernel alone stays as it is.
#pragma once

#include <string>
#include <vector>

#include "emit/kernel_text.hpp"
#include "ir/ir.hpp"

namespace tilewright::emit {

struct Bundled {
  const ir::Kernel* traced = nullptr;
  const KernelText* text = nullptr;
};

/// One self-contained file; it includes nothing unless TILEWRIGHT_MAIN is defined. The symbols of
/// the kernels must differ.
std::string bundle(const std::vector<Bundled>& kernels);

}  // namespace tilewright::emit
