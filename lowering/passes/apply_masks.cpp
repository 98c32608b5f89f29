// From "a hidden element contributes nothing" to values: before the first reduction or contraction
// over an axis, the operand gets the neutral value where the mask, or the end of the axis, hides
// it. What is hidden is then tracked through the arithmetic (exp2 of -inf is 0), so that one
// `where` before the maximum usually serves the exponential, the sum and the second product as
// well.
#include <cmath>
#include <limits>
#include <map>
#include <optional>

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

  void run(Region& region, const Operation* loop) {
    for (std::size_t i = 0; i < region.operations.size(); ++i) {
      Operation& operation = *region.operations[i];
      if (operation.op == Op::for_blocks) {
        loops_.push_back(&operation);
        run(*operation.regions[1], &operation);
        loops_.pop_back();
        continue;
      }
      for (auto& inner : operation.regions) run(*inner, loop);
      if (writes_memory(operation.op) && !operation.masked) {
        i += show(region, i, operation);
        operation.masked = true;
      }
      if (is_reduction(operation.op) && !operation.masked) {
        const double neutral = operation.op == Op::reduce_max ? minus_infinity : 0;
        i += neutralize(region, i, operation, 0, neutral, loop);
        operation.masked = true;
      } else if (operation.op == Op::dot && !operation.masked) {
        if (hidden(operation.operands[0], operation.axis) != 0 &&
            hidden(operation.operands[1], operation.axis) != 0)
          i += neutralize(region, i, operation, 0, 0, loop);
        operation.masked = true;
      }
      propagate(operation, loop);
    }
  }

 private:
  std::optional<double> hidden(ValueId value, AxisId axis) const {
    const auto found = hidden_.find({value, axis});
    if (found == hidden_.end()) return std::nullopt;
    return found->second;
  }

  bool ragged(AxisId id) const {
    const ir::Axis& axis = kernel_.axes[static_cast<std::size_t>(id)];
    if (axis.kind == ir::Axis::Kind::whole) return axis.padded > axis.tile;
    const auto bound = kernel_.bound.find(axis.dim);
    return bound == kernel_.bound.end() || bound->second % axis.tile != 0;
  }

  void propagate(const Operation& operation, const Operation* loop) {
    if (operation.results.size() != 1) return;
    const ValueId result = operation.results[0];
    for (const AxisId axis : kernel_.type(result).axes) {
      const auto of = [&](std::size_t operand) {
        return hidden(operation.operands[operand], axis);
      };
      switch (operation.op) {
        case Op::load:
          // Past the end a load is 0; where only a mask hides an element its value is the tensor's.
          if (loop == nullptr || loop->axis != axis || loop->regions[0]->operations.empty())
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

  /// The condition under which an element is visible along `axis`, as operations put before
  /// `position`. Gives no_value when nothing hides. Returns how many operations were inserted.
  std::size_t condition(Region& region, std::size_t position, AxisId axis, const Operation* loop,
                        ValueId& result, bool with_end = true) {
    std::vector<std::unique_ptr<Operation>> made;
    const Provenance where = region.operations[position]->where;
    result = no_value;
    const bool own = loop != nullptr && loop->axis == axis;
    if (own && !loop->regions[0]->operations.empty()) {
      std::map<ValueId, ValueId> renamed;
      for (const auto& source : loop->regions[0]->operations) {
        if (source->op == Op::yield) {
          const auto found = renamed.find(source->operands[0]);
          result = found == renamed.end() ? source->operands[0] : found->second;
          break;
        }
        auto copy = make(kernel_, source->op, kernel_.type(source->results[0]), source->operands,
                         source->where);
        copy->constant = source->constant;
        copy->name = source->name;
        copy->axis = source->axis;
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
    }
    if (with_end && ragged(axis)) {
      const std::string& dim = kernel_.axes[static_cast<std::size_t>(axis)].dim;
      auto index = make(kernel_, Op::index, {.dtype = DType::i32, .axes = {axis}}, {}, where);
      index->axis = axis;
      auto extent = make(kernel_, Op::extent, {.dtype = DType::i32}, {}, where);
      extent->name = dim;
      auto inside = make(kernel_, Op::lt, {.dtype = DType::b1, .axes = {axis}},
                         {index->results[0], extent->results[0]}, where);
      const ValueId in_range = inside->results[0];
      made.push_back(std::move(index));
      made.push_back(std::move(extent));
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
    }
    const std::size_t count = made.size();
    region.operations.insert(region.operations.begin() + static_cast<std::ptrdiff_t>(position),
                             std::make_move_iterator(made.begin()),
                             std::make_move_iterator(made.end()));
    return count;
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
    masked->cut_only = loop != nullptr && loop->axis == axis;
    const ValueId result = masked->results[0];
    hidden_[{result, axis}] = neutral;

    // Later readers take the masked value too: hidden elements matter to nobody, and the first
    // select then serves them all. Only a reduction over another axis would notice, so then they
    // keep theirs.
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

  /// What a store writes under masks: gives it the condition as its second operand. The end of an
  /// axis is no part of it, a store never passes that. Returns how far the store moved.
  std::size_t show(Region& region, std::size_t position, Operation& store) {
    std::size_t inserted = 0;
    ValueId shown = no_value;
    for (const Operation* loop : loops_) {
      if (loop->regions[0]->operations.empty()) continue;
      if (!has_axis(kernel_, store.operands[0], loop->axis)) continue;
      for (const AxisId needed :
           kernel_.type(loop->regions[0]->operations.back()->operands[0]).axes)
        if (!has_axis(kernel_, store.operands[0], needed))
          throw Error(ErrorKind::invalid_program,
                      "a store under a mask of a tile that lacks an axis of the mask",
                      {.argument = store.name,
                       .value = kernel_.axes[static_cast<std::size_t>(needed)].dim,
                       .allowed = "a tile with all dimensions of the mask",
                       .where = to_string(store.where)});
      ValueId visible = no_value;
      inserted += condition(region, position + inserted, loop->axis, loop, visible, false);
      if (shown == no_value) {
        shown = visible;
        store.cut_only = loop == loops_.back();  // one mask, the innermost loop's: `cut` is its
        continue;
      }
      ir::Type type = kernel_.type(shown);
      for (const AxisId axis : kernel_.type(visible).axes)
        if (!has_axis(kernel_, shown, axis)) type.axes.push_back(axis);
      auto both = make(kernel_, Op::logical_and, type, {shown, visible}, store.where);
      shown = both->results[0];
      store.cut_only = false;
      region.operations.insert(
          region.operations.begin() + static_cast<std::ptrdiff_t>(position + inserted),
          std::move(both));
      ++inserted;
    }
    if (shown != no_value) store.operands.push_back(shown);
    return inserted;
  }

  bool reduced_elsewhere(const Region& region, AxisId axis) const {
    bool found = false;
    walk(region, [&](const Operation& operation) {
      if ((is_reduction(operation.op) || operation.op == Op::dot) && operation.axis != axis &&
          has_axis(kernel_, operation.operands[0], axis))
        found = found || is_reduction(operation.op);
    });
    return found;
  }

  ir::Kernel& kernel_;
  Hidden hidden_;
  std::vector<const Operation*> loops_;  ///< over blocks, that are open
};

}  // namespace

void apply_masks(ir::Kernel& kernel) { MaskApplier(kernel).run(kernel.body, nullptr); }

}  // namespace tilewright::passes
