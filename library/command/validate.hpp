// What no machine could run is refused here, by name, before anything is allocated or compiled.
// Lengths, batch and heads of 0 are legal: their result is empty or neutral.
#pragma once

#include "variants/shape.hpp"

namespace tilewright::command {

inline constexpr std::int64_t max_extent = 2'147'483'647;
using library::max_head_dim;

/// Throws Error{shape_mismatch} if heads is no multiple of kv_heads, Error{invalid_argument} if an
/// extent is out of range, the scale is not finite, or the tensors (and the reference's copies of
/// them) do not fit this machine's memory.
void validate(const library::AttentionShape& shape);

}  // namespace tilewright::command
