// Which dimension of each tile runs over warps. A product's rows are its left operand's; tiles that
// meet in elementwise work are spread alike; what nothing decides takes the kernel's own rows, or
// its first dimension. A tile that is needed both ways has to go through shared memory, as the
// operand of a dot does: elsewhere it is refused.
#include "passes/assign_rows.hpp"

#include <algorithm>

#include "passes/errors.hpp"
#include "passes/rewrite.hpp"
#include "tilewright/error.hpp"

namespace tilewright::passes {
namespace {

using ir::AxisId;
using ir::Operation;
using ir::Region;

class RowAssigner {
 public:
  RowAssigner(ir::Kernel& kernel, AxisId primary) : kernel_(kernel), primary_(primary) {
    tie(kernel.body);
  }

  std::set<AxisId> run() {
    walk(kernel_.body, [&](Operation& operation) {
      if (operation.op != Op::dot) return;
      const auto& axes = kernel_.type(operation.operands[0]).axes;
      assign(operation.results[0], axes[0] == operation.axis ? axes[1] : axes[0], operation);
    });
    spread();
    prefer();
    const std::set<ValueId> staged = only_for_dots();
    for (std::size_t id = 0; id < kernel_.values.size(); ++id) {
      const auto& axes = kernel_.values[id].type.axes;
      if (axes.size() != 2 || kernel_.values[id].row_axis >= 0) continue;
      if (staged.count(static_cast<ValueId>(id)) != 0) continue;
      const bool has_primary = std::count(axes.begin(), axes.end(), primary_) != 0;
      kernel_.values[id].row_axis = has_primary ? primary_ : axes[0];
      spread();
      prefer();
    }
    spread_vectors();
    std::set<AxisId> rows;
    for (const ir::Value& value : kernel_.values)
      if (value.row_axis >= 0) rows.insert(value.row_axis);
    return rows;
  }

 private:
  /// Loads that only dots read, as copies in shared memory: they never lie in registers as a tile.
  std::set<ValueId> only_for_dots() {
    std::set<ValueId> loads, others;
    walk(kernel_.body, [&](Operation& operation) {
      if (may_be_copied(kernel_, operation)) loads.insert(operation.results[0]);
      if (operation.op != Op::dot)
        others.insert(operation.operands.begin(), operation.operands.end());
    });
    for (const ValueId id : others) loads.erase(id);
    return loads;
  }

  ir::Value& value(ValueId id) { return kernel_.values[static_cast<std::size_t>(id)]; }
  std::size_t rank(ValueId id) const { return kernel_.type(id).axes.size(); }

  /// Groups of values that one thread must hold the same elements of.
  void tie(Region& region) {
    for (auto& operation : region.operations) {
      if (is_pointwise(operation->op) || operation->op == Op::finish_reduce) {
        std::vector<ValueId> group = operation->operands;
        group.push_back(operation->results[0]);
        groups_.emplace_back(std::move(group), operation.get());
      } else if (operation->op == Op::dot && operation->operands.size() == 3) {
        groups_.emplace_back(std::vector{operation->operands[2], operation->results[0]},
                             operation.get());
      } else if (operation->op == Op::take) {
        groups_.emplace_back(std::vector{operation->operands[1], operation->results[0]},
                             operation.get());
        takes_.push_back(operation.get());
      } else if (is_reduction(operation->op)) {
        reductions_.push_back(operation.get());
      } else if (operation->op == Op::for_blocks || operation->op == Op::for_range) {
        const Region& body = *operation->regions.back();
        const Operation& yield = *body.operations.back();
        const std::size_t first = operation->op == Op::for_range ? 1 : 0;
        for (std::size_t k = 0; k < operation->results.size(); ++k)
          groups_.emplace_back(std::vector{operation->operands[first + k], body.arguments[k + 1],
                                           yield.operands[k], operation->results[k]},
                               operation.get());
      }
      for (auto& inner : operation->regions) tie(*inner);
    }
  }

  void assign(ValueId id, AxisId rows, const Operation& by) {
    const auto& axes = kernel_.type(id).axes;
    if (std::count(axes.begin(), axes.end(), rows) == 0) return;
    AxisId& own = value(id).row_axis;
    if (own >= 0 && own != rows)
      throw Error(
          errors::passes["rows-conflict"],
          "a tile is needed with '" + axis(own) + "' and with '" + axis(rows) +
              "' running over warps; only the operand of a dot may change over",
          {.argument = value(id).name.empty() ? std::string(info(by.op).name) : value(id).name,
           .allowed = "one of the two in all elementwise work",
           .where = to_string(by.where)});
    changed_ |= own != rows;
    own = rows;
  }
  const std::string& axis(AxisId id) const {
    return kernel_.axes[static_cast<std::size_t>(id)].dim;
  }

  void spread() {
    for (changed_ = true; changed_;) {
      changed_ = false;
      for (const auto& [group, by] : groups_)
        for (const ValueId from : group)
          if (rank(from) == 2 && value(from).row_axis >= 0)
            for (const ValueId to : group)
              if (rank(to) == 2) assign(to, value(from).row_axis, *by);
    }
  }

  /// A take may change over, but costs least where its rows are those of the tile it takes from.
  void prefer() {
    for (bool again = true; again;) {
      again = false;
      for (const Operation* take : takes_) {
        const ValueId x = take->operands[0], y = take->results[0];
        for (const auto& [from, to] : {std::pair(x, y), std::pair(y, x)}) {
          if (rank(from) != 2 || rank(to) != 2 || value(from).row_axis < 0 ||
              value(to).row_axis >= 0 || value(from).row_axis == take->axis)
            continue;
          assign(to, value(from).row_axis, *take);
          again |= value(to).row_axis >= 0;
        }
      }
      if (again) spread();
    }
  }

  /// Vectors go by the tiles they meet: along their rows, or along their columns (which every
  /// thread holds some of, whatever the rows are). Two vectors that meet go together.
  void spread_vectors() {
    for (changed_ = true; changed_;) {
      changed_ = false;
      for (const auto& [group, by] : groups_)
        for (const ValueId from : group)
          for (const ValueId to : group)
            if (rank(to) == 1 && (rank(from) == 2 || rank(from) == 1)) follow(from, to, *by);
      for (const Operation* reduction : reductions_) {
        const ValueId from = reduction->operands[0], to = reduction->results[0];
        if (rank(from) == 2 && rank(to) == 1) follow(from, to, *reduction);
      }
    }
    for (std::size_t id = 0; id < kernel_.values.size(); ++id)
      if (kernel_.values[id].type.axes == std::vector{primary_} &&
          !across_.count(static_cast<ValueId>(id)))
        kernel_.values[id].row_axis = primary_;
  }

  void follow(ValueId from, ValueId to, const Operation& by) {
    const AxisId own = kernel_.type(to).axes[0];
    const bool known = rank(from) == 2 || value(from).row_axis >= 0 || across_.count(from) != 0;
    if (!known) return;
    const bool rows = value(from).row_axis == own;
    if (rank(from) == 1 && kernel_.type(from).axes[0] != own) return;
    const bool before_rows = value(to).row_axis >= 0, before_across = across_.count(to) != 0;
    if ((rows && before_across) || (!rows && before_rows))
      throw Error(
          errors::passes["vector-conflict"],
          "a vector over '" + axis(own) +
              "' is needed along the rows of one tile and along "
              "the columns of another",
          {.argument = value(to).name.empty() ? std::string(info(by.op).name) : value(to).name,
           .allowed = "one of the two; a second name for the dimension, as<E>(M), for the other",
           .where = to_string(by.where)});
    changed_ |= !before_rows && !before_across;
    if (rows)
      value(to).row_axis = own;
    else
      across_.insert(to);
  }

  ir::Kernel& kernel_;
  AxisId primary_;
  std::vector<std::pair<std::vector<ValueId>, const Operation*>> groups_;
  std::vector<const Operation*> reductions_, takes_;
  std::set<ValueId> across_;  ///< vectors along columns
  bool changed_ = false;
};

}  // namespace

std::set<AxisId> assign_rows(ir::Kernel& kernel, AxisId primary) {
  return RowAssigner(kernel, primary).run();
}

}  // namespace tilewright::passes
