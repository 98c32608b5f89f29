// One mask, one spelling: where bounds say all a mask says (mask_formula.hpp), its operations are
// written anew from them, so that every equivalent expression gives the same code.
//
// Bounds that follow from others, or from what is known of rows and extents, are left out, zones
// that are empty or lie in another one too; the rest is sorted by its text. Masks that need more
// than a few bounds keep the words of their author, which are shorter.
#include <algorithm>

#include "ir/domain.hpp"
#include "passes/mask_formula.hpp"
#include "passes/number_writer.hpp"
#include "passes/passes.hpp"
#include "passes/rewrite.hpp"
#include "passes/tidy_zones.hpp"
#include "passes/tile_space.hpp"

namespace tilewright::passes {
namespace {

using ir::Operation;
using Kind = Bound::Kind;

constexpr std::size_t most_bounds = 8;

/// Writes operations for zones at the end of a mask region.
class MaskWriter {
 public:
  MaskWriter(ir::Kernel& kernel, Operation& loop, ir::AxisId rows)
      : write_(kernel, loop.regions[0]->operations, loop.where) {
    if (rows >= 0) q_ = write_.index(rows);
    k_ = write_.index(loop.axis);
  }

  ValueId zones(const std::vector<Zone>& zones) {
    ValueId any = no_value;
    for (const Zone& zone : zones) {
      ValueId all = no_value;
      for (const Bound& bound : zone.bounds) all = joined(Op::logical_and, all, compared(bound));
      any = joined(Op::logical_or, any, all);
    }
    return any;
  }
  ValueId truth(bool value) { return write_.constant(DType::b1, value ? 1 : 0); }

 private:
  ValueId joined(Op op, ValueId a, ValueId b) {
    return a == no_value ? b : write_.add(op, DType::b1, {a, b});
  }

  ValueId limit(const RowFunction& f) {
    if (f.kind == RowFunction::Kind::constant) return write_.number(f.offset);
    if (f.kind == RowFunction::Kind::shifted) return write_.plus(q_, f.offset);
    const ValueId steps = write_.divided(write_.plus(q_, f.shift), f.divisor);
    return write_.plus(write_.times(steps, f.scale), f.offset);
  }
  ValueId compared(const Bound& bound) {
    const ValueId end = limit(bound.limit);
    const auto at_least = [&](ValueId a, ValueId b) {
      return write_.add(Op::ge, DType::b1, {a, b});
    };
    switch (bound.kind) {
      case Kind::guard: return at_least(end, write_.constant(DType::i32, 0));
      case Kind::k_lower: return at_least(k_, end);
      case Kind::k_upper: return at_least(end, k_);
      case Kind::q_lower: return at_least(q_, end);
      case Kind::q_upper: return at_least(end, q_);
      case Kind::row: break;  // of tables, which are not written anew
    }
    return no_value;
  }

  NumberWriter write_;
  ValueId q_ = no_value, k_ = no_value;
};

void normalize(ir::Kernel& kernel, Operation& loop) {
  ir::Region& mask = *loop.regions[0];
  const MaskRows rows = mask_rows(kernel, loop);
  if (mask.operations.empty() || rows.several) return;
  const auto definitions = ir::definitions(kernel);
  const Formula formula = mask_formula(kernel, definitions, loop, rows.axis, false, nullptr);
  for (const Zone& zone : formula.zones)
    if (zone.hull || !zone.congruences.empty() || !zone.rest.empty()) return;
  const TileSpace space = space_of(kernel, loop, rows.axis);
  Linear extent_of_rows;
  if (rows.axis >= 0)
    extent_of_rows = extent_of(kernel, kernel.axes[static_cast<std::size_t>(rows.axis)].dim);
  const std::vector<Zone> zones = tidied(formula.zones, space, extent_of_rows);
  std::size_t bounds = 0;
  for (const Zone& zone : zones) bounds += zone.bounds.size();
  if (bounds > most_bounds) return;

  std::unique_ptr<Operation> yield = std::move(mask.operations.back());
  mask.operations.pop_back();
  const bool everything =
      std::any_of(zones.begin(), zones.end(), [](const Zone& zone) { return zone.bounds.empty(); });
  MaskWriter writer(kernel, loop, rows.axis);
  if (everything) {
    mask.operations.clear();
    return;
  }
  yield->operands = {zones.empty() ? writer.truth(false) : writer.zones(zones)};
  mask.operations.push_back(std::move(yield));
}

}  // namespace

void normalize_masks(ir::Kernel& kernel) {
  walk(kernel.body, [&](Operation& operation) {
    if (operation.op == Op::for_blocks) normalize(kernel, operation);
  });
  drop_dead(kernel);
}

}  // namespace tilewright::passes
