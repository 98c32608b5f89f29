// From "a hidden element contributes nothing" to values: before the first reduction or contraction
// over an axis, the operand gets the neutral value where the mask, or the end of the axis, hides
// it. What is hidden is then tracked through the arithmetic (exp2 of -inf is 0), so that one
// `where` before the maximum usually serves the exponential, the sum and the second product as
// well.
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "ir/errors.hpp"
#include "ir/flattened.hpp"
#include "ir/print.hpp"
#include "passes/passes.hpp"
#include "passes/rewrite.hpp"
#include "tilewright/error.hpp"

namespace tilewright::passes {
namespace {

using ir::AxisId;
using ir::Operation;
using ir::Region;

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

/// What an element of a value holds where an axis hides it, if that is known.
using Hidden = std::map<std::pair<ValueId, AxisId>, double>;

class MaskApplier {
 public:
  explicit MaskApplier(ir::Kernel& kernel) : kernel_(kernel) {}

  void run(Region& region) {
    for (std::size_t i = 0; i < region.operations.size(); ++i) {
      Operation& operation = *region.operations[i];
      if (operation.op == Op::for_blocks) {
        run(*operation.regions[0]);  // a mask may reduce, outside the loop it belongs to
        loops_.push_back(&operation);
        run(*operation.regions[1]);
        loops_.pop_back();
        continue;
      }
      for (auto& inner : operation.regions) run(*inner);
      const Operation* loop = loop_over(operation.axis);
      if (is_reduction(operation.op) && !operation.masked) require_mask_axes(operation, loop, 1);
      if (operation.op == Op::reduce_argmax && !operation.masked) {
        i += show_only(region, i, operation, loop);
        operation.masked = true;
      } else if (is_reduction(operation.op) && !operation.masked) {
        const double neutral = operation.op == Op::reduce_max ? minus_infinity : 0;
        i += neutralize(region, i, operation, 0, neutral, loop);
        operation.masked = true;
      } else if (operation.op == Op::dot && !operation.masked) {
        i += neutralize_product(region, i, operation, loop);
        operation.masked = true;
      } else if (writes_memory(operation.op) && !operation.masked) {
        i += restrict_store(region, i, operation);
        operation.masked = true;
      }
      propagate(operation);
    }
  }

 private:
  /// The open loop over the tiles of `axis`, or null.
  const Operation* loop_over(AxisId axis) const {
    for (const Operation* loop : loops_)
      if (loop->axis == axis) return loop;
    return nullptr;
  }

  std::optional<double> hidden(ValueId value, AxisId axis) const {
    const auto found = hidden_.find({value, axis});
    if (found == hidden_.end()) return std::nullopt;
    return found->second;
  }

  /// Whether an element times 0 is 0 where `axis` hides it: it is known, or it is what memory
  /// holds.
  bool tame(ValueId value, AxisId axis) const {
    if (const auto known = hidden(value, axis)) return std::isfinite(*known);
    return loaded_.contains(value);
  }

  const ir::Axis& axis_of(AxisId id) const { return kernel_.axes[static_cast<std::size_t>(id)]; }

  /// Whether threads hold more than the tile: that belongs to the next one.
  bool overhangs(AxisId id) const {
    const ir::Axis& axis = axis_of(id);
    return axis.kind != ir::Axis::Kind::whole && axis.padded > axis.tile;
  }

  bool ragged(AxisId id) const {
    const ir::Axis& axis = axis_of(id);
    if (axis.kind == ir::Axis::Kind::whole) return axis.padded > axis.tile;
    const auto extent = kernel_.known_extent(id);
    return !extent || axis.before != 0 || axis.after != 0 || *extent % axis.tile != 0;
  }

  void propagate(const Operation& operation) {
    if (operation.results.size() != 1) return;
    const ValueId result = operation.results[0];
    if (operation.op == Op::load ||
        (operation.op == Op::cast && loaded_.contains(operation.operands[0])))
      loaded_.insert(result);
    for (const AxisId axis : kernel_.type(result).axes) {
      const auto of = [&](std::size_t operand) {
        return hidden(operation.operands[operand], axis);
      };
      switch (operation.op) {
        case Op::load:
          // Past the end a load is 0; where only a mask hides an element its value is the tensor's.
          if (const Operation* loop = loop_over(axis);
              loop == nullptr || loop->regions[0]->operations.empty())
            hidden_[{result, axis}] = 0;
          break;
        case Op::cast:
        case Op::neg:
        case Op::abs:
          if (const auto x = of(0); x && *x == 0) hidden_[{result, axis}] = 0;
          break;
        case Op::exp2:
        case Op::exp:
        case Op::exp2_safe:
          if (const auto x = of(0); x && *x == minus_infinity) hidden_[{result, axis}] = 0;
          break;
        default: break;
      }
    }
  }

  /// The axes of `loop`'s mask; `loop` may be null.
  std::vector<AxisId> mask_axes(const Operation* loop) const {
    if (loop == nullptr || loop->regions[0]->operations.empty()) return {};
    return kernel_.type(loop->regions[0]->operations.back()->operands[0]).axes;
  }

  bool covers_mask(const Operation* loop, ValueId operand) const {
    for (const AxisId id : mask_axes(loop))
      if (id != loop->axis && !has_axis(kernel_, operand, id)) return false;
    return true;
  }

  /// A mask says nothing of a tile that lacks one of its dimensions. Throws unless one of the first
  /// `count` operands has them all.
  void require_mask_axes(const Operation& operation, const Operation* loop,
                         std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i)
      if (covers_mask(loop, operation.operands[i])) return;
    std::string dims, tiles;
    for (const AxisId id : mask_axes(loop)) dims += (dims.empty() ? "" : ", ") + axis_of(id).dim;
    for (std::size_t i = 0; i < count; ++i)
      tiles +=
          (i == 0 ? "" : " and ") + ir::print_type(kernel_, kernel_.type(operation.operands[i]));
    throw Error(errors::ir["mask-axis-missing"],
                "the mask of the loop over '" + axis_of(loop->axis).dim + "' depends on [" + dims +
                    "], and what stands under it here does not",
                {std::string(info(operation.op).name), tiles,
                 "tiles with the dimensions of the mask, or a mask without the others",
                 to_string(operation.where)});
  }

  /// A hidden element of a product is 0 when one side is 0 there and the other is no infinity. What
  /// a program computes past the end of an axis may well be one: 1 / x of the 0 that is loaded.
  std::size_t neutralize_product(Region& region, std::size_t position, Operation& product,
                                 const Operation* loop) {
    const AxisId axis = product.axis;
    require_mask_axes(product, loop, 2);
    const auto is_zero = [&](std::size_t side) {
      return hidden(product.operands[side], axis) == 0;
    };
    std::size_t inserted = 0;
    if (!is_zero(0) && !is_zero(1))
      inserted += neutralize(region, position, product,
                             covers_mask(loop, product.operands[0]) ? 0 : 1, 0, loop);
    for (const std::size_t side : {0u, 1u})
      if (!tame(product.operands[side], axis))
        inserted += neutralize(region, position + inserted, product, side, 0,
                               covers_mask(loop, product.operands[side]) ? loop : nullptr);
    return inserted;
  }

  using List = std::vector<std::unique_ptr<Operation>>;

  static std::size_t insert(Region& region, std::size_t position, List& made) {
    const std::size_t count = made.size();
    region.operations.insert(region.operations.begin() + static_cast<std::ptrdiff_t>(position),
                             std::make_move_iterator(made.begin()),
                             std::make_move_iterator(made.end()));
    return count;
  }

  /// `loop`'s mask once more, as operations on `made`; no_value without one.
  ValueId mask_again(const Operation& loop, List& made) {
    std::map<ValueId, ValueId> renamed;
    for (const auto& source : loop.regions[0]->operations) {
      if (source->op == Op::yield) {
        const auto found = renamed.find(source->operands[0]);
        return found == renamed.end() ? source->operands[0] : found->second;
      }
      auto copy = make(kernel_, source->op, kernel_.type(source->results[0]), source->operands,
                       source->where);
      copy->constant = source->constant;
      copy->name = source->name;
      copy->axis = source->axis;
      copy->masked = source->masked;
      copy->indices = source->indices;
      for (ValueId& operand : copy->operands)
        if (const auto found = renamed.find(operand); found != renamed.end())
          operand = found->second;
      for (auto& index : copy->indices)
        if (const auto found = renamed.find(index.value); found != renamed.end())
          index.value = found->second;
      renamed[source->results[0]] = copy->results[0];
      made.push_back(std::move(copy));
    }
    return no_value;
  }

  /// A store in loops with masks writes what they show; the condition becomes its second operand.
  std::size_t restrict_store(Region& region, std::size_t position, Operation& store) {
    List made;
    ValueId visible = no_value;
    for (const Operation* loop : loops_) {
      if (!has_axis(kernel_, store.operands[0], loop->axis)) continue;
      require_mask_axes(store, loop, 1);
      const ValueId shown = mask_again(*loop, made);
      if (shown == no_value) continue;
      store.cut_only = visible == no_value && loop == loops_.back();
      if (visible == no_value) {
        visible = shown;
        continue;
      }
      ir::Type type = kernel_.type(visible);
      for (const AxisId axis : kernel_.type(shown).axes)
        if (!has_axis(kernel_, visible, axis)) type.axes.push_back(axis);
      made.push_back(make(kernel_, Op::logical_and, type, {visible, shown}, store.where));
      visible = made.back()->results[0];
    }
    if (visible != no_value) store.operands.push_back(visible);
    return insert(region, position, made);
  }

  /// The condition under which an element is visible along `axis`, as operations put before
  /// `position`; `loop`: the one over `axis`, or null for the end of the axis alone. Gives no_value
  /// when nothing hides. Returns how many operations were inserted.
  std::size_t condition(Region& region, std::size_t position, AxisId axis, const Operation* loop,
                        ValueId& result) {
    List made;
    const Provenance where = region.operations[position]->where;
    result = loop == nullptr ? no_value : mask_again(*loop, made);
    const ir::Axis& own = axis_of(axis);
    // Where an element stands, in the tile or the tensor, is below a bound, or not below it.
    const auto require = [&](Op place, Op compare, std::unique_ptr<Operation> bound) {
      auto index = make(kernel_, place, {.dtype = DType::i32, .axes = {axis}}, {}, where);
      index->axis = axis;
      auto inside = make(kernel_, compare, {.dtype = DType::b1, .axes = {axis}},
                         {index->results[0], bound->results[0]}, where);
      const ValueId in_range = inside->results[0];
      made.push_back(std::move(index));
      made.push_back(std::move(bound));
      made.push_back(std::move(inside));
      if (result == no_value) {
        result = in_range;
      } else {
        ir::Type type = kernel_.type(result);
        if (!has_axis(kernel_, result, axis)) type.axes.push_back(axis);
        auto both = make(kernel_, Op::logical_and, type, {result, in_range}, where);
        result = both->results[0];
        made.push_back(std::move(both));
      }
    };
    if (ragged(axis)) {
      auto end = make(kernel_, Op::extent, {.dtype = DType::i32}, {}, where);
      end->name = kernel_.counted_along(axis);
      const auto bound = kernel_.bound.find(own.dim);
      if (own.kind == ir::Axis::Kind::whole &&
          (bound == kernel_.bound.end() || bound->second != own.tile)) {
        end->op = Op::constant;
        end->name.clear();
        end->constant = own.tile;
      }
      require(Op::index, Op::lt, std::move(end));
    }
    if (own.before > 0) {
      auto zero = make(kernel_, Op::constant, {.dtype = DType::i32}, {}, where);
      require(Op::index, Op::ge, std::move(zero));
    }
    if (overhangs(axis)) {
      auto tile = make(kernel_, Op::constant, {.dtype = DType::i32}, {}, where);
      tile->constant = own.tile;
      require(Op::iota, Op::lt, std::move(tile));
    }
    return insert(region, position, made);
  }

  /// Whether full tiles of the loop around it hide nothing along `axis`. Inside another loop it is
  /// that one's tiles that are cut or full.
  bool only_in_cut_tiles(AxisId axis, const Operation* loop) const {
    return loop != nullptr && loop == loops_.back() && !overhangs(axis);
  }

  /// Puts `neutral` where `operation`'s operand is hidden along its axis. Returns how far it moved.
  std::size_t neutralize(Region& region, std::size_t position, Operation& operation,
                         std::size_t which, double neutral, const Operation* loop) {
    const AxisId axis = operation.axis;
    const ValueId operand = operation.operands[which];
    if (const auto known = hidden(operand, axis); known && *known == neutral) return 0;
    ValueId visible = no_value;
    std::size_t inserted = condition(region, position, axis, loop, visible);
    if (visible == no_value) return inserted;

    ir::Type type = kernel_.type(operand);
    for (const AxisId extra : kernel_.type(visible).axes)
      if (!has_axis(kernel_, operand, extra)) type.axes.push_back(extra);
    auto constant = make(kernel_, Op::constant, {.dtype = type.dtype}, {}, operation.where);
    constant->constant = neutral;
    auto masked =
        make(kernel_, Op::select, type, {visible, operand, constant->results[0]}, operation.where);
    masked->cut_only = only_in_cut_tiles(axis, loop);
    const ValueId result = masked->results[0];
    hidden_[{result, axis}] = neutral;

    // Later readers take the masked value too: hidden elements matter to nobody, and the first
    // select then serves them all. Only a reduction over another axis, or a take, would notice, so
    // then they keep theirs.
    const bool share = neutral == minus_infinity && !reduced_elsewhere(region, axis);
    const auto at = region.operations.begin() + static_cast<std::ptrdiff_t>(position + inserted);
    region.operations.insert(at, std::move(constant));
    region.operations.insert(
        region.operations.begin() + static_cast<std::ptrdiff_t>(position + inserted + 1),
        std::move(masked));
    inserted += 2;
    const auto rename = [&](Operation& later) {
      for (ValueId& value : later.operands)
        if (value == operand) value = result;
    };
    if (share) {
      for (std::size_t i = position + inserted; i < region.operations.size(); ++i) {
        rename(*region.operations[i]);
        for (auto& inner : region.operations[i]->regions) replace_uses(*inner, operand, result);
      }
    } else {
      operation.operands[which] = result;
    }
    return inserted;
  }

  /// -inf may be the largest element there is, so what shows goes with the operand. Returns how far
  /// it moved.
  std::size_t show_only(Region& region, std::size_t position, Operation& argmax,
                        const Operation* loop) {
    ValueId visible = no_value;
    const std::size_t inserted = condition(region, position, argmax.axis, loop, visible);
    if (visible == no_value) return inserted;
    argmax.operands.push_back(visible);
    argmax.cut_only = only_in_cut_tiles(argmax.axis, loop);
    return inserted;
  }

  bool reduced_elsewhere(const Region& region, AxisId axis) const {
    bool found = false;
    walk(region, [&](const Operation& operation) {
      if (operation.op == Op::take && has_axis(kernel_, operation.operands[0], axis)) found = true;
      if ((is_reduction(operation.op) || operation.op == Op::dot) && operation.axis != axis &&
          has_axis(kernel_, operation.operands[0], axis))
        found = found || is_reduction(operation.op);
    });
    return found;
  }

  ir::Kernel& kernel_;
  std::vector<const Operation*> loops_;  ///< open ones over tiles, outermost first
  Hidden hidden_;
  std::set<ValueId> loaded_;  ///< as memory holds them
};

}  // namespace

void apply_masks(ir::Kernel& kernel) { MaskApplier(kernel).run(kernel.body); }

}  // namespace tilewright::passes
