// What only the cut tiles of a loop need: the condition that hides elements, and all that leads to
// nothing else. passes/sink_conditions.cpp marks it (Operation::sunk), the verifier holds it to
// these rules, the interpreter gives it no value in a full tile, the emitter writes it behind
// `if (cut)`.
#pragma once

#include "ir/ir.hpp"

namespace tilewright::ir {

/// Whether a full tile may leave `operation` out when nobody asks for its value: it changes nothing
/// but that value, and all that meets other threads in it are the lanes of one warp.
bool may_sink(const Kernel& kernel, const Operation& operation);

/// In how many places `operation` reads `value` in cut tiles alone: in any, when it is sunk itself;
/// as its condition, when it is cut_only.
int reads_in_cut_tiles(const Kernel& kernel, const Operation& operation, ValueId value);

}  // namespace tilewright::ir
