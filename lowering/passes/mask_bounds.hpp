// From "this affine tile is not negative" to one bound on k or q. The algebra of rounding is here:
// quotients are inverted exactly, never approximated. Used by mask_formula.cpp.
#pragma once

#include <optional>

#include "passes/mask_affine.hpp"
#include "passes/mask_formula.hpp"

namespace tilewright::passes {

/// The bound equivalent to x >= 0, or nothing when no single bound is. `x` holds no choices.
std::optional<Bound> bound_of(const Affine& x, MaskReader& reader);

}  // namespace tilewright::passes
