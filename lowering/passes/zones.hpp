// From zones to tiles: the interval of tiles that a zone meets over a range of rows, in closed
// form. The one idea: where every row's stretch of k is non-empty and touches the next row's, the
// union over the rows is one stretch, and cutting it off at constants commutes with the union.
// A congruence then asks for a number with such a remainder among those that the zone's pairs give
// in a tile: where these follow each other, one comparison of their ends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/domain.hpp"
#include "passes/linear.hpp"
#include "passes/mask_formula.hpp"

namespace tilewright::passes {

/// What the tiles of one loop are counted in. Rows first … last (both included) are at least one.
struct TileSpace {
  Linear first_row;
  Linear last_row;
  Linear extent;  ///< of k
  Linear width;   ///< elements per tile
  Linear tile;    ///< the tile's own number, "block(kv)", as conditions ask for it
  Facts facts;
  bool ragged_tile_may_join = false;  ///< a last tile past the extent may count as met
  bool rows_in_periods = true;        ///< zones may be taken apart by periods of their rows
};

struct ZoneTiles {
  std::vector<ir::TileInterval> intervals;
  bool exact = true;
  std::string note;
};

/// The tiles that hold a pair of at least one zone. Intervals that share an end are joined. Without
/// `reader`, conditions that remain beside the bounds are taken as if they held.
ZoneTiles tiles_of(const std::vector<Zone>& zones, const TileSpace& space,
                   MaskReader* reader = nullptr);

}  // namespace tilewright::passes
