// The compiler is a list: a traced kernel goes in, CUDA text comes out, and every pass in between
// is one line of pipeline.cpp. A newcomer starts there.
#pragma once

#include <functional>
#include <string>

#include "emit/kernel_text.hpp"
#include "ir/ir.hpp"
#include "ir/schedule.hpp"
#include "passes/passes.hpp"

namespace tilewright {

/// One kernel for one target, with what each stage made of it.
struct Lowered {
  ir::Kernel scheduled;  ///< tile IR after all passes
  ir::Schedule schedule;
  emit::KernelText text;
};

/// Called after every pass with its name and the kernel, for dumps.
using Snapshot = std::function<void(const std::string& pass, const ir::Kernel& kernel)>;

/// Lowers `traced` (from build()) for `target`. `wish` overrides the schedule's choices where it
/// has any. `aligned`: the text may rely on 16-byte alignment of its tensors; otherwise it takes
/// any strides. Verifies after every pass. Throws Error for what the target cannot do.
Lowered lower(const ir::Kernel& traced, const passes::Target& target, const ir::Schedule& wish,
              bool aligned, const Snapshot& snapshot = {});

}  // namespace tilewright
