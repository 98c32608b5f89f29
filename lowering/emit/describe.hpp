// The user's statements as text, for the comments of the generated file: `dot(q, k, d) *
// softmax_scale`.
#pragma once

#include <string>
#include <vector>

#include "ir/ir.hpp"

namespace tilewright::emit {

/// By ValueId, for every value of a traced kernel: the expression that made it, down to named
/// values.
/// A name the `scheduled` kernel no longer has is written out.
std::vector<std::string> describe(const ir::Kernel& traced, const ir::Kernel& scheduled);

/// Shortest decimal text of an f32 that reads back the same: "1.442695", "-inf".
std::string float_text(double value);

}  // namespace tilewright::emit
