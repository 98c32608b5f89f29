// Derives the domain of each loop over tiles (analyze_masks.hpp).
#include "passes/analyze_masks.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "passes/mask_formula.hpp"
#include "passes/number_writer.hpp"
#include "passes/rewrite.hpp"
#include "passes/tile_space.hpp"

namespace tilewright::passes {

namespace {

using ir::IntExpr;
using ir::Operation;
using ir::Region;

bool defined_here(const Region& region, ValueId value) {
  for (const auto& operation : region.operations)
    for (const ValueId result : operation->results)
      if (result == value) return true;
  return false;
}

/// Moves what computes `value` from the mask region to `target`, operands first.
void hoist(Region& mask, ValueId value, std::vector<std::unique_ptr<Operation>>& target) {
  if (!defined_here(mask, value)) return;
  for (std::size_t i = 0; i < mask.operations.size(); ++i) {
    Operation& operation = *mask.operations[i];
    if (operation.results.empty() || operation.results[0] != value) continue;
    for (const ValueId operand : std::vector<ValueId>(operation.operands))
      hoist(mask, operand, target);
    for (const ir::Index& index : std::vector<ir::Index>(operation.indices))
      if (index.value != no_value) hoist(mask, index.value, target);
    for (std::size_t j = 0; j < mask.operations.size(); ++j)
      if (mask.operations[j].get() == &operation) {
        target.push_back(std::move(mask.operations[j]));
        mask.operations.erase(mask.operations.begin() + static_cast<std::ptrdiff_t>(j));
        return;
      }
  }
}

/// The domain, with the extremes of row tiles as "least(i)" and "most(i)".
ir::Domain domain_of(ir::Kernel& kernel, const Operation& loop, const MaskRows& rows,
                     std::vector<RowTile>& row_tiles) {
  TileSpace space = space_of(kernel, loop, rows.axis);
  ir::Domain domain;
  domain.width = kernel.axes[static_cast<std::size_t>(loop.axis)].tile;
  if (loop.regions[0]->operations.empty()) {
    domain.visited = tiles_of({Zone{}}, space).intervals;
    return domain;
  }
  const auto definitions = ir::definitions(kernel);
  MaskReader reader(kernel, definitions, loop, rows.axis, nullptr);
  const auto assume_positive = [&](const std::set<std::string>& symbols) {
    for (const std::string& symbol : symbols)
      if (std::find(domain.positive.begin(), domain.positive.end(), symbol) ==
          domain.positive.end())
        domain.positive.push_back(symbol);
  };
  for (const bool negated : {false, true}) {
    const Formula formula = mask_formula(kernel, definitions, loop, rows.axis, negated, &row_tiles);
    TileSpace known = space;
    for (std::size_t i = 0; i < row_tiles.size(); ++i)
      known.facts.not_negative(Linear(IntExpr::symbol("most(" + std::to_string(i) + ")")) -
                               Linear(IntExpr::symbol("least(" + std::to_string(i) + ")")));
    known.rows_in_periods = domain.exact;
    ZoneTiles tiles = tiles_of(formula.zones, known, &reader);
    (negated ? domain.hidden : domain.visited) = std::move(tiles.intervals);
    if (negated) {
      known.ragged_tile_may_join = true;
      domain.hidden_in_loop = tiles_of(formula.zones, known, &reader).intervals;
      domain.full_exact = tiles.exact;
    }
    domain.exact = domain.exact && tiles.exact;
    if (!tiles.exact && domain.note.empty())
      domain.note = formula.note.empty() ? tiles.note : formula.note;
    assume_positive(formula.positive);
  }
  assume_positive(reader.positive);
  if (domain.visited.empty()) domain.visited = {{IntExpr(0), IntExpr(-1)}};  // said, not left out
  if (domain.exact) domain.note.clear();
  if (!domain.exact && rows.several) domain.note += "; the mask has rows along more than one axis";
  return domain;
}

/// Everything a domain needs in front of its loop.
class InFront {
 public:
  InFront(ir::Kernel& kernel, Operation& loop, const MaskRows& rows,
          const std::vector<RowTile>& row_tiles)
      : kernel_(kernel),
        mask_(*loop.regions[0]),
        write_(kernel, made_, loop.where),
        rows_(rows.axis),
        row_tiles_(row_tiles) {
    ir::Domain& domain = *loop.domain;
    for (const ValueId value : ir::values_named(domain)) hoist(mask_, value, made_);
    const auto named = [&](const std::string& name) { return extreme(name); };
    for (auto* intervals : {&domain.visited, &domain.hidden, &domain.hidden_in_loop})
      for (ir::TileInterval& interval : *intervals)
        for (IntExpr* e : {&interval.first, &interval.last, &interval.condition, &interval.repeats})
          *e = e->replaced(named);
  }
  std::vector<std::unique_ptr<Operation>> take() && { return std::move(made_); }

 private:
  IntExpr extreme(const std::string& name) {
    const bool least = name.starts_with("least(");
    if (!least && !name.starts_with("most(")) return IntExpr::symbol(name);
    const auto known = extremes_.find(name);
    if (known != extremes_.end()) return known->second;
    const auto number = static_cast<std::size_t>(std::stol(name.substr(name.find('(') + 1)));
    const ValueId tile = tile_of(number);
    const auto counted = [&](ValueId x, std::int64_t otherwise) {
      const ValueId sees = seen(number);
      if (sees == no_value) return x;
      return write_.add(Op::select, DType::i32, {sees, x, write_.constant(DType::i32, otherwise)});
    };
    ValueId value = no_value;
    if (least) {  // ~x turns the order of all integers around
      const ValueId inverse =
          counted(write_.add(Op::bit_not, DType::i32, {tile}), ~beyond_all_keys);
      value =
          write_.add(Op::bit_not, DType::i32, {greatest(inverse, word_of(number) + "_inverse")});
      kernel_.values[static_cast<std::size_t>(value)].name = word_of(number) + "_least";
    } else {
      value = greatest(counted(tile, -beyond_all_keys), word_of(number) + "_most");
    }
    return extremes_.emplace(name, IntExpr::symbol("value(" + std::to_string(value) + ")"))
        .first->second;
  }

  ValueId greatest(ValueId tile, const std::string& name) {
    auto made = make(kernel_, Op::reduce_max, {.dtype = DType::i32}, {tile}, write_.where());
    made->axis = rows_;
    made->across_warps = kernel_.values[static_cast<std::size_t>(tile)].row_axis == rows_;
    const ValueId value = write_.put(std::move(made));
    kernel_.values[static_cast<std::size_t>(value)].name = name;
    return value;
  }

  ValueId tile_of(std::size_t number) {
    const auto known = tiles_.find(number);
    if (known != tiles_.end()) return known->second;
    return tiles_.emplace(number, written(row_tiles_[number].form)).first->second;
  }

  /// Which rows count, or no_value: all of them.
  ValueId seen(std::size_t number) {
    const auto& where = row_tiles_[number].where;
    const auto known = std::find_if(seen_.begin(), seen_.end(),
                                    [&](const auto& one) { return one.first == where; });
    if (known != seen_.end()) return known->second;
    ValueId all = no_value;
    for (auto [low, high] : where) {
      high.constant = high.constant - low.constant;
      low.constant = 0;
      const bool below = high.constant.is(-1);
      if (below) high.constant = 0;
      const ValueId one =
          write_.add(below ? Op::lt : Op::le, DType::b1, {written(low), written(high)});
      all = all == no_value ? one : write_.add(Op::logical_and, DType::b1, {all, one});
    }
    seen_.emplace_back(where, all);
    return all;
  }

  ValueId written(const Affine& form) {
    std::set<ValueId> needed;
    const auto need = [&](const Linear& part) {
      for (const auto& [atom, coefficient] : part.terms()) collect(atom, needed);
    };
    need(form.constant);
    for (const Choice& table : form.tables) needed.insert(table.value);
    for (const Quotient& quotient : form.quotients)
      for (const Linear* part : {&quotient.coefficient, &quotient.offset, &quotient.divisor})
        need(*part);
    for (const ValueId value : needed) hoist(mask_, value, made_);
    return write_.row_tile(form, rows_);
  }

  static void collect(const IntExpr& e, std::set<ValueId>& values) {
    (void)e.replaced([&](const std::string& name) {
      if (name.starts_with("value("))
        values.insert(static_cast<ValueId>(std::stol(name.substr(6))));
      return IntExpr::symbol(name);
    });
  }

  /// What the extremes are called after: the name of the table, or of the value.
  std::string word_of(std::size_t number) const {
    const ValueId table = row_tiles_[number].form.tables[0].value;
    const std::string seen = row_tiles_[number].where.empty() ? "" : "_seen";
    const std::string& own = kernel_.values[static_cast<std::size_t>(table)].name;
    if (!own.empty()) return own + seen;
    const auto definitions = ir::definitions(kernel_);
    for (const auto& operation : made_)
      if (operation->results[0] == table && operation->op == Op::load)
        return operation->name + seen;
    const Operation* from = definitions[static_cast<std::size_t>(table)];
    return (from != nullptr && from->op == Op::load ? from->name : "bound") + seen;
  }

  ir::Kernel& kernel_;
  Region& mask_;
  std::vector<std::unique_ptr<Operation>> made_;
  NumberWriter write_;
  ir::AxisId rows_;
  const std::vector<RowTile>& row_tiles_;
  std::map<std::string, IntExpr> extremes_;
  std::map<std::size_t, ValueId> tiles_;
  std::vector<std::pair<std::vector<std::pair<Affine, Affine>>, ValueId>> seen_;
};

void analyze(ir::Kernel& kernel, Region& region) {
  for (std::size_t i = 0; i < region.operations.size(); ++i) {
    Operation& loop = *region.operations[i];
    if (loop.follows_list()) {
      loop.domain = ir::Domain{.listed = true};
    } else if (loop.op == Op::for_blocks) {
      const MaskRows rows = mask_rows(kernel, loop);
      std::vector<RowTile> row_tiles;
      loop.domain = domain_of(kernel, loop, rows, row_tiles);
      std::vector<std::unique_ptr<Operation>> moved = InFront(kernel, loop, rows, row_tiles).take();
      const std::size_t count = moved.size();
      region.operations.insert(region.operations.begin() + static_cast<std::ptrdiff_t>(i),
                               std::make_move_iterator(moved.begin()),
                               std::make_move_iterator(moved.end()));
      i += count;
    }
    for (auto& nested : region.operations[i]->regions) analyze(kernel, *nested);
  }
}

}  // namespace

void analyze_masks(ir::Kernel& kernel) { analyze(kernel, kernel.body); }

}  // namespace tilewright::passes
