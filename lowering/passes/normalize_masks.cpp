// One mask, one spelling: where bounds say all a mask says (mask_formula.hpp), its operations are
// written anew from them, so that every equivalent expression gives the same code.
//
// Bounds that follow from others, or from what is known of rows and extents, are left out, zones
// that are empty or lie in another one too; the rest is sorted by its text. Masks that need more
// than a few bounds keep the words of their author, which are shorter.
#include <algorithm>

#include "ir/domain.hpp"
#include "passes/mask_formula.hpp"
#include "passes/passes.hpp"
#include "passes/rewrite.hpp"
#include "passes/tidy_zones.hpp"
#include "passes/tile_space.hpp"

namespace tilewright::passes {
namespace {

using ir::IntExpr;
using ir::Operation;
using Kind = Bound::Kind;

constexpr std::size_t most_bounds = 8;

/// Writes operations for zones at the end of a mask region.
class MaskWriter {
 public:
  MaskWriter(ir::Kernel& kernel, Operation& loop, ir::AxisId rows)
      : kernel_(kernel), region_(*loop.regions[0]), where_(loop.where) {
    if (rows >= 0) q_ = index(rows);
    k_ = index(loop.axis);
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
  ValueId truth(bool value) { return constant(DType::b1, value ? 1 : 0); }

 private:
  ValueId add(Op op, DType dtype, const std::vector<ValueId>& operands) {
    ir::Type type{.dtype = dtype};
    for (const ValueId operand : operands)
      for (const ir::AxisId axis : kernel_.type(operand).axes)
        if (std::find(type.axes.begin(), type.axes.end(), axis) == type.axes.end())
          type.axes.push_back(axis);
    return put(make(kernel_, op, type, operands, where_));
  }
  ValueId put(std::unique_ptr<Operation> operation) {
    region_.operations.push_back(std::move(operation));
    return region_.operations.back()->results[0];
  }
  ValueId constant(DType dtype, std::int64_t value) {
    auto made = make(kernel_, Op::constant, {.dtype = dtype}, {}, where_);
    made->constant = static_cast<double>(value);
    return put(std::move(made));
  }
  ValueId index(ir::AxisId axis) {
    auto made = make(kernel_, Op::index, {.dtype = DType::i32, .axes = {axis}}, {}, where_);
    made->axis = axis;
    return put(std::move(made));
  }
  ValueId joined(Op op, ValueId a, ValueId b) {
    return a == no_value ? b : add(op, DType::b1, {a, b});
  }

  ValueId symbol(const std::string& name) {
    const std::size_t open = name.find('(');
    const std::string function = name.substr(0, open);
    const std::string of = name.substr(open + 1, name.size() - open - 2);
    if (function == "value") return static_cast<ValueId>(std::stol(of));
    auto made = make(kernel_, function == "extent" ? Op::extent : Op::scalar_argument,
                     {.dtype = DType::i32}, {}, where_);
    made->name = of;
    return put(std::move(made));
  }
  ValueId number(const IntExpr& e) {
    const auto both = [&](Op op) {
      const ValueId left = number(e.left());
      return add(op, DType::i32, {left, number(e.right())});
    };
    switch (e.kind()) {
      case IntExpr::Kind::constant: return constant(DType::i32, e.constant());
      case IntExpr::Kind::symbol: return symbol(e.name());
      case IntExpr::Kind::add: return both(Op::add);
      case IntExpr::Kind::sub: return both(Op::sub);
      case IntExpr::Kind::mul: return both(Op::mul);
      case IntExpr::Kind::floor_div: return both(Op::div);
      case IntExpr::Kind::mod: return both(Op::mod);
      case IntExpr::Kind::minimum: return both(Op::minimum);
      case IntExpr::Kind::maximum: return both(Op::maximum);
    }
    return no_value;
  }
  ValueId number(const Linear& form) { return number(form.expression()); }
  ValueId plus(ValueId x, const Linear& form) {
    return form.is(0) ? x : add(Op::add, DType::i32, {x, number(form)});
  }

  ValueId limit(const RowFunction& f) {
    if (f.kind == RowFunction::Kind::constant) return number(f.offset);
    if (f.kind == RowFunction::Kind::shifted) return plus(q_, f.offset);
    ValueId x = plus(q_, f.shift);
    if (!f.divisor.is(1)) x = add(Op::div, DType::i32, {x, number(f.divisor)});
    if (!f.scale.is(1)) x = add(Op::mul, DType::i32, {x, number(f.scale)});
    return plus(x, f.offset);
  }
  ValueId compared(const Bound& bound) {
    const ValueId end = limit(bound.limit);
    const auto at_least = [&](ValueId a, ValueId b) { return add(Op::ge, DType::b1, {a, b}); };
    switch (bound.kind) {
      case Kind::guard: return at_least(end, constant(DType::i32, 0));
      case Kind::k_lower: return at_least(k_, end);
      case Kind::k_upper: return at_least(end, k_);
      case Kind::q_lower: return at_least(q_, end);
      case Kind::q_upper: return at_least(end, q_);
    }
    return no_value;
  }

  ir::Kernel& kernel_;
  ir::Region& region_;
  const Provenance& where_;
  ValueId q_ = no_value, k_ = no_value;
};

void normalize(ir::Kernel& kernel, Operation& loop) {
  ir::Region& mask = *loop.regions[0];
  const MaskRows rows = mask_rows(kernel, loop);
  if (mask.operations.empty() || rows.several) return;
  const auto definitions = ir::definitions(kernel);
  const Formula formula = mask_formula(kernel, definitions, loop, rows.axis, false);
  for (const Zone& zone : formula.zones)
    if (zone.hull) return;
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
