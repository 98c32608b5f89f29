// A mask as zones: the boolean tile of a loop's mask region, brought to a disjunction of
// conjunctions of bounds on k (the loop's index), q (the row's index), tables read at q and
// run-time constants, and of congruences. What no bound can express is left out of its conjunction,
// which then says so. Next: zones.hpp turns these into tiles.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ir/ir.hpp"
#include "passes/congruence.hpp"
#include "passes/linear.hpp"
#include "passes/mask_affine.hpp"

namespace tilewright::passes {

/// A monotone function of the row: offset, q + offset, or scale * floor((q + shift) / divisor) +
/// offset. `table`: the last of these, of plus or minus a row tile instead of q.
struct RowFunction {
  enum class Kind { constant, shifted, step, table };
  Kind kind = Kind::constant;
  Linear offset = 0;
  Linear scale = 1;    ///< step: positive
  Linear divisor = 1;  ///< step: positive
  Linear shift = 0;    ///< step
  int tile = -1;       ///< table: the number of the row tile
  bool minus = false;  ///< table: of the negated tile
  bool seen = false;   ///< table: of rows alone that see something of their zone

  Linear at(const Linear& q) const;
  /// table: the least and the greatest over the rows.
  Linear least() const;
  Linear most() const;
  bool operator==(const RowFunction&) const = default;
};

struct Bound {
  enum class Kind {
    guard,    ///< limit.offset >= 0: no k, no q
    k_lower,  ///< k >= limit(q)
    k_upper,  ///< k <= limit(q)
    q_lower,  ///< q >= limit.offset
    q_upper,  ///< q <= limit.offset
    row,      ///< limit(q) >= 0, of a table
  };
  Kind kind = Kind::guard;
  RowFunction limit;
  bool operator==(const Bound&) const = default;
};

/// form >= 0, which no monotone bound expresses; `atom` says what in the mask it is.
struct Remaining {
  Affine form;
  std::string atom;
  bool operator==(const Remaining& other) const { return form == other.form; }
};

/// A conjunction of bounds, congruences and what remains. `hull`: an atom was left out, so the zone
/// may be too large. `settled`: every key that keeps the bounds on k at the first and the last row,
/// and the congruences, has a row (eliminate_rows.hpp).
struct Zone {
  std::vector<Bound> bounds;
  bool hull = false;
  std::vector<Congruence> congruences = {};
  std::vector<Remaining> rest = {};
  bool settled = false;
};

struct Formula {
  std::vector<Zone> zones;         ///< their union is the mask
  std::string note;                ///< the first atom that was left out, and why
  std::set<std::string> positive;  ///< symbols taken to be at least 1: they divide
  std::set<ValueId> uniform;       ///< values that appear as "value(id)"
};

/// The same union, without zones that keep every bound of another one.
std::vector<Zone> without_contained(std::vector<Zone> zones);

/// Finds the rows a mask depends on: the one axis besides the loop's own that it indexes. `several`
/// is set when there are more; the first counts, the others are left out of the bounds.
struct MaskRows {
  ir::AxisId axis = -1;
  bool several = false;
};
MaskRows mask_rows(const ir::Kernel& kernel, const ir::Operation& loop);

/// The zones of `loop`'s mask, or of its negation. Row tiles are added to `row_tiles`; null: tables
/// are left out.
Formula mask_formula(const ir::Kernel& kernel, const std::vector<ir::Operation*>& definitions,
                     const ir::Operation& loop, ir::AxisId rows, bool negated,
                     std::vector<RowTile>* row_tiles);

}  // namespace tilewright::passes
