// Whether a take stays in registers (passes/stage_takes.cpp decides, the emitter writes it so).
#pragma once

#include <optional>
#include <vector>

#include "ir/ir.hpp"

namespace tilewright::ir {

/// How many columns the source of each element lies behind it, where that is the same for all and a
/// multiple of what one thread's columns are apart: the same thread holds both.
std::optional<int> columns_moved(const Kernel& kernel, const std::vector<Operation*>& definitions,
                                 const Operation& take);

/// Whether what a take reads from shared memory was written by the same warp: a warp's rows are its
/// own, and both tiles have the same.
bool stays_in_warp(const Kernel& kernel, const Operation& take);

}  // namespace tilewright::ir
