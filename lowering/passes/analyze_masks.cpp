// Derives the domain of each loop over tiles (analyze_masks.hpp).
#include "passes/analyze_masks.hpp"

#include <algorithm>
#include <set>

#include "passes/mask_formula.hpp"
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

void collect_values(const IntExpr& expression, std::set<ValueId>& values) {
  if (expression.kind() == IntExpr::Kind::constant) return;
  if (expression.kind() == IntExpr::Kind::symbol) {
    if (expression.name().starts_with("value("))
      values.insert(static_cast<ValueId>(std::stol(expression.name().substr(6))));
    return;
  }
  collect_values(expression.left(), values);
  collect_values(expression.right(), values);
}

void analyze(ir::Kernel& kernel, Region& region) {
  for (std::size_t i = 0; i < region.operations.size(); ++i) {
    Operation& loop = *region.operations[i];
    if (loop.follows_list()) {
      loop.domain = ir::Domain{.listed = true};
    } else if (loop.op == Op::for_blocks) {
      loop.domain = domain_of(kernel, loop);
      std::set<ValueId> values;
      for (const auto* intervals : {&loop.domain->visited, &loop.domain->hidden})
        for (const ir::TileInterval& interval : *intervals) {
          collect_values(interval.first, values);
          collect_values(interval.last, values);
        }
      std::vector<std::unique_ptr<Operation>> moved;
      for (const ValueId value : values) hoist(*loop.regions[0], value, moved);
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

ir::Domain domain_of(ir::Kernel& kernel, const Operation& loop) {
  const MaskRows rows = mask_rows(kernel, loop);
  const TileSpace space = space_of(kernel, loop, rows.axis);
  ir::Domain domain;
  domain.width = kernel.axes[static_cast<std::size_t>(loop.axis)].tile;
  if (loop.regions[0]->operations.empty()) {
    domain.visited = tiles_of({Zone{}}, space).intervals;
    return domain;
  }
  const auto definitions = ir::definitions(kernel);
  for (const bool negated : {false, true}) {
    const Formula formula = mask_formula(kernel, definitions, loop, rows.axis, negated);
    ZoneTiles tiles = tiles_of(formula.zones, space);
    (negated ? domain.hidden : domain.visited) = std::move(tiles.intervals);
    if (negated) {
      TileSpace loop_space = space;
      loop_space.ragged_tile_may_join = true;
      domain.hidden_in_loop = tiles_of(formula.zones, loop_space).intervals;
    }
    domain.exact = domain.exact && tiles.exact;
    if (!tiles.exact && domain.note.empty())
      domain.note = formula.note.empty() ? tiles.note : formula.note;
    for (const std::string& symbol : formula.positive)
      if (std::find(domain.positive.begin(), domain.positive.end(), symbol) ==
          domain.positive.end())
        domain.positive.push_back(symbol);
  }
  if (domain.visited.empty()) domain.visited = {{IntExpr(0), IntExpr(-1)}};  // said, not left out
  if (domain.exact) domain.note.clear();
  if (!domain.exact && rows.several) domain.note += "; the mask has rows along more than one axis";
  return domain;
}

void analyze_masks(ir::Kernel& kernel) { analyze(kernel, kernel.body); }

}  // namespace tilewright::passes
