// The rules every kernel keeps between passes. The pipeline calls `verify` after each of them, so a
// pass that breaks the IR is named at once, with the operation, instead of showing as a wrong
// number.
#pragma once

#include <optional>
#include <string_view>

#include "ir/ir.hpp"

namespace tilewright::ir {

/// Checks structure (each value defined once, before its uses, in a region that encloses them;
/// loops and their yields; arities), types (inferred again for every operation) and the discipline
/// of asynchronous copies. Throws Error{invalid_program}, "after PASS: …", naming the operation:
/// a defect of the pass, not of the user's program.
void verify(const Kernel& kernel, std::string_view after_pass);

/// What the emitter needs besides: a tile used more than once has a name, and each named value has
/// a source line. Throws like `verify`.
void verify_names(const Kernel& kernel, std::string_view after_pass);

/// The type that `operation` gives its one result by the rules of ir.hpp; nothing where the result
/// is free (loops) or there is none. The order of a pointwise result's axes is free: compare as
/// sets. Throws Error{invalid_program} when the operands do not fit.
std::optional<Type> infer_type(const Kernel& kernel, const Operation& operation);

}  // namespace tilewright::ir
