// The variants of recipes that keep the values of visible pairs in memory, compressed: three
// kernels over the tiles of a list.
#pragma once

#include "variants/joined.hpp"
#include "variants/variant.hpp"

namespace tilewright::library {

/// What Variant asks for the same request. Each throws Error{unsupported} for what the three
/// kernels don't do: a schedule that is one kernel's, regrouping, another element type.
void visit_compressed(const Joined& all, const Request& request, const KernelVisitor& visit);
RunResult run_compressed(const Joined& all, const Request& request, const std::string& where,
                         const Inputs& inputs);
Tiling compressed_tiling(const Joined& all, const Request& request);

}  // namespace tilewright::library
