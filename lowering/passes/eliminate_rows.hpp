// The keys that some row of a zone sees, without the rows (Fourier and Motzkin's elimination). Each
// bound of a zone says "q is at least" or "q is at most" something that k decides: a row exists for
// a key when each of the former is at most each of the latter. Over whole numbers that is exact
// where one of the two has q itself, and not a multiple of it; where both have multiples, it is for
// the keys of one remainder at a time.
//
// Used by zones.cpp where the bounds alone do not say which keys are seen: sums of the indices (q +
// k <= c), steps of several sizes. What is asked of k then is a bound or a congruence again.
#pragma once

#include <optional>
#include <vector>

#include "passes/mask_affine.hpp"
#include "passes/mask_formula.hpp"
#include "passes/zones.hpp"

namespace tilewright::passes {

/// Zones without `rest`, and settled: their union has the keys of `zone`. Nothing where a condition
/// on the keys is neither a bound nor a congruence.
std::optional<std::vector<Zone>> without_rows(const Zone& zone, const TileSpace& space,
                                              MaskReader& reader);

}  // namespace tilewright::passes
