// Zones in one form, whichever way their mask was written: bounds that follow from others, or from
// what is known of rows and extents, are left out, zones that are empty or lie in another one too;
// the rest is sorted by its text. Sound always; complete for what masks are usually made of. Used
// by normalize_masks.cpp.
#pragma once

#include <vector>

#include "passes/mask_formula.hpp"
#include "passes/zones.hpp"

namespace tilewright::passes {

/// The same union of `zones`; `rows` is the extent of q. A zone without bounds shows everything.
std::vector<Zone> tidied(std::vector<Zone> zones, const TileSpace& space, const Linear& rows);

}  // namespace tilewright::passes
