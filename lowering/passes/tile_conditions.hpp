// What a congruence of a zone asks of a tile: a number with such a remainder among those that the
// zone's pairs give in the tile. Where these follow each other, that is one comparison of their
// ends; it becomes a bound on the tile, a condition of its number, or nothing when it always holds.
#pragma once

#include <vector>

#include "ir/domain.hpp"
#include "passes/zone_ends.hpp"

namespace tilewright::passes {

class TileConditions {
 public:
  explicit TileConditions(ZoneEnds& zone) : zone_(zone), space_(zone.space) {}

  /// A pair of the zone in this tile has such a remainder. Conditions on the tile are kept, others
  /// are the zone's.
  void ask(const Congruence& congruence);
  /// Puts what was asked into the zone's tiles.
  void apply(ir::TileInterval& tiles) const;

 private:
  void values(const Congruence& congruence, const std::vector<Linear>& low,
              const std::vector<Linear>& high, std::vector<Linear>& least,
              std::vector<Linear>& most);
  void meets(const Congruence& congruence, Linear low, Linear high, const Facts& facts);
  bool mentions_tile(const Linear& form) const;

  ZoneEnds& zone_;
  const TileSpace& space_;
  ir::IntExpr condition_ = 0;                       ///< on the tile's number: at least 0
  ir::IntExpr repeats_every_ = 1;                   ///< TileInterval::repeats
  std::vector<Linear> first_starts_, last_starts_;  ///< the tile starts there or later (earlier)
};

}  // namespace tilewright::passes
