// One zone while its tiles are derived (zones.cpp, tile_conditions.cpp): its bounds by what they
// bound, the ends of k that follow, what must hold for the zone to be non-empty, and whether all of
// that is exact.
#pragma once

#include <string>
#include <vector>

#include "passes/linear.hpp"
#include "passes/mask_formula.hpp"
#include "passes/zones.hpp"

namespace tilewright::passes {

struct ZoneEnds {
  ZoneEnds(const Zone& zone, const TileSpace& tile_space);

  /// The zone is empty unless form >= 0.
  void require(const Linear& form);
  void inexact(const std::string& why) {
    if (note.empty()) note = why;
  }

  /// The least keys of the rows (the greatest): what a tile must reach.
  std::vector<Linear> low_ends() const;
  std::vector<Linear> high_ends() const;

  const TileSpace& space;
  Facts facts;
  std::vector<Linear> q_low, q_high, k_low, k_high;
  std::vector<RowFunction> lower, upper;  ///< bounds on k that depend on the row
  int tables = 0, others = 0;             ///< what goes by the row: tables, and the rest
  std::vector<Linear> guards;             ///< not negative, or the zone is empty
  bool empty = false;                     ///< whatever the numbers
  std::string note;                       ///< why the tiles may be too many
};

inline bool is_table(const RowFunction& f) { return f.kind == RowFunction::Kind::table; }

/// The largest (or smallest) of several forms, without those that another one makes superfluous.
std::vector<Linear> strongest(const std::vector<Linear>& forms, bool largest, const Facts& facts);

}  // namespace tilewright::passes
