// Zones whose rows come in periods: remainders of rows and keys compared with each other, as in a
// grid of tokens (k % W >= q % W - r). The one idea: inside one period of the rows the quotient of
// q is a number, so that the first and the last period of a block of rows hold nothing but sums of
// the indices; between them every remainder occurs, whatever the period.
#pragma once

#include <optional>
#include <vector>

#include "passes/mask_formula.hpp"
#include "passes/zones.hpp"

namespace tilewright::passes {

/// The zone with quotients that its own bounds decide as numbers, in `rest`: that of k where k
/// stays within one period, and the difference of those of k and q where bounds fix it.
Zone with_known_quotients(Zone zone, MaskReader& reader);

/// Whether quotients of q are in `rest`.
bool has_row_periods(const Zone& zone);

/// Rows of one or more periods: `zone` is the union. Of `between` the rows of `rest` are
/// remainders, apart from those of the bounds.
struct RowPeriods {
  std::vector<Zone> ends;  ///< the first period and the last one
  Zone between;
  Linear least, most;  ///< the remainders in between's `rest`, where q stands for them
};
/// Nothing where rows have several periods, or one that tiles of keys hold whole anyway.
std::optional<RowPeriods> row_periods(const Zone& zone, const TileSpace& space);

}  // namespace tilewright::passes
