// One integer tile of a mask as k, q, quotients of them, tiles over the rows alone that are data,
// and run-time constants: the raw material of a bound. Built from the operations that define the
// value; mask_formula.hpp compares two of them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ir/ir.hpp"
#include "passes/linear.hpp"

namespace tilewright::passes {

/// coefficient * floor((k * k_factor + q * q_factor + offset) / divisor)
struct Quotient {
  Linear coefficient;
  std::int64_t k = 0;
  std::int64_t q = 0;
  Linear offset;
  Linear divisor = 1;
};

/// coefficient * (min, max, abs or where of tiles): a comparison splits it into cases.
struct Choice {
  std::int64_t coefficient = 0;
  ValueId value = no_value;
};

struct Affine {
  std::int64_t k = 0;
  std::int64_t q = 0;
  Linear constant;
  std::vector<Quotient> quotients;
  std::vector<Choice> choices;
  std::vector<Choice> tables;  ///< coefficient * (a tile over the rows alone: a table read at q)

  bool is_constant() const {
    return k == 0 && q == 0 && quotients.empty() && choices.empty() && tables.empty();
  }
};

bool operator==(const Affine& a, const Affine& b);

/// What a row adds to a bound when tables are in it: no k, no constant, the first table's
/// coefficient positive. Its least and its greatest over a block's rows are the names "least(i)"
/// and "most(i)" until they are computed.
struct RowTile {
  Affine form;
  /// Only rows count in which each first one is at most its second one.
  std::vector<std::pair<Affine, Affine>> where = {};
  bool operator==(const RowTile&) const = default;
};
/// Stands for the least of no rows; its negative for their greatest. Differences fit 32 bits.
inline constexpr std::int64_t beyond_all_keys = std::int64_t{1} << 29;

Affine operator+(const Affine& a, const Affine& b);
Affine operator*(const Affine& a, std::int64_t factor);
inline Affine operator-(const Affine& a, const Affine& b) { return a + b * -1; }

/// Reads affine tiles and uniform scalars off the operations of a mask.
class MaskReader {
 public:
  /// `row_tiles` collects what bounds are made of beside indices; null: tables make no bounds.
  MaskReader(const ir::Kernel& kernel, const std::vector<ir::Operation*>& definitions,
             const ir::Operation& loop, ir::AxisId rows, std::vector<RowTile>* row_tiles)
      : kernel_(kernel),
        definitions_(definitions),
        loop_(loop),
        rows_(rows),
        row_tiles_(row_tiles) {}

  const ir::Operation* definition(ValueId value) const;
  DType dtype(ValueId value) const { return kernel_.type(value).dtype; }
  /// A scalar that is the same for all tiles of the loop.
  bool is_uniform(ValueId value);
  /// Nothing when the tile is not of this form.
  std::optional<Affine> affine(ValueId value);
  /// The number of the row tile in `x`, and 1 or -1: how it stands in it. `x` has tables.
  std::pair<int, int> row_tile(const Affine& x);
  /// A uniform integer or boolean as a form over run-time names; computed ones as "value(id)".
  Linear uniform(ValueId value);
  /// A divisor that is a positive constant, the extent of a part of the mask's own flattened
  /// dimensions, or a scalar argument (then noted in `positive`).
  bool is_positive(const Linear& form);
  /// The expression in the language's words, for notes; parts too deep in it as "...".
  std::string describe(ValueId value, int deep = 0) const;

  std::set<std::string> positive;
  std::set<ValueId> opaque;  ///< named as "value(id)"

 private:
  bool is_positive(const ir::IntExpr& atom);
  bool varies(ValueId value) const;
  bool over_rows(ValueId value) const;
  bool reads_memory(ValueId value) const;
  bool stays_the_same(ValueId value) const;
  bool find_variation(ValueId value) const;
  std::optional<Affine> find_affine(ValueId value);
  std::optional<Affine> sum_of(ValueId value);
  std::optional<Affine> remainder(Affine x, const Linear& divisor);
  std::optional<Affine> divided(const Affine& x, const Linear& divisor);
  Linear find_uniform(ValueId value);
  Linear opaque_symbol(ValueId value);

  const ir::Kernel& kernel_;
  const std::vector<ir::Operation*>& definitions_;
  const ir::Operation& loop_;
  ir::AxisId rows_;
  std::vector<RowTile>* row_tiles_;
  // Of values that were asked about: a mask may use its parts many times over.
  mutable std::map<ValueId, bool> varies_, reads_memory_;
  std::map<ValueId, std::optional<Affine>> affine_;
  std::map<ValueId, Linear> uniform_;
};

}  // namespace tilewright::passes
