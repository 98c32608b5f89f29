// The control of a trace: the grid and the loops. At the door of a loop every Var that exists gets
// a region argument; when the loop closes, those that were not assigned are taken out again, and
// the others become results. See builder.hpp for the state.
#include <algorithm>

#include "builder.hpp"
#include "ir/flattened.hpp"
#include "program_errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright {

namespace {

void replace_uses(ir::Region& region, ValueId from, ValueId to) {
  for (auto& operation : region.operations) {
    for (ValueId& operand : operation->operands)
      if (operand == from) operand = to;
    for (ir::Index& index : operation->indices)
      if (index.value == from) index.value = to;
    for (auto& inner : operation->regions) replace_uses(*inner, from, to);
  }
}

std::unique_ptr<ir::Operation> yield_of(std::vector<ValueId> operands, const Provenance& where) {
  auto yield = std::make_unique<ir::Operation>();
  yield->op = Op::yield;
  yield->operands = std::move(operands);
  yield->where = where;
  return yield;
}

ir::Type scalar(DType dtype) {
  ir::Type type;
  type.dtype = dtype;
  return type;
}

/// Calls `visit(ValueId&)` for every place in `region` that names a value.
template <typename Visit>
void each_value(ir::Region& region, const Visit& visit) {
  for (ValueId& argument : region.arguments) visit(argument);
  for (auto& operation : region.operations) {
    for (ValueId& operand : operation->operands) visit(operand);
    for (ValueId& result : operation->results) visit(result);
    for (ir::Index& index : operation->indices) visit(index.value);
    for (auto& inner : operation->regions) each_value(*inner, visit);
  }
}

/// A number that filled a Var, or an extent that was bound, may be used no more.
void drop_unused_leaves(ir::Region& region, const std::vector<int>& uses) {
  std::erase_if(region.operations, [&](const std::unique_ptr<ir::Operation>& operation) {
    for (auto& inner : operation->regions) drop_unused_leaves(*inner, uses);
    return info(operation->op).kind == OpKind::leaf && operation->op != Op::each &&
           operation->op != Op::block && uses[static_cast<std::size_t>(operation->results[0])] == 0;
  });
}

}  // namespace

ValueId Builder::open_blocks(std::string_view dim, const Provenance& where) {
  must_be_dimension("for_blocks", dim, where);
  must_count(std::string(dim), where);
  auto loop = std::make_unique<ir::Operation>();
  loop->op = Op::for_blocks;
  loop->where = where;
  loop->regions.push_back(std::make_unique<ir::Region>());
  loop->regions.push_back(std::make_unique<ir::Region>());
  loop->axis = static_cast<ir::AxisId>(kernel_.axes.size());
  ir::Region* mask = loop->regions[0].get();
  ir::Region* body = loop->regions[1].get();
  push(Frame::Kind::blocks, body);
  opened_[frames_.back().id] = "the loop at " + to_string(where);
  frames_.back().dim = dim;
  frames_.back().axis = loop->axis;
  frames_.back().loop = std::move(loop);
  ir::Axis axis;
  axis.dim = dim;
  axis.kind = ir::Axis::Kind::loop;
  axis.block =
      define(scalar(i32), frames_.back().id, ir::identifier_of(std::string(dim)) + "_block", where);
  body->arguments.push_back(axis.block);
  kernel_.axes.push_back(axis);
  push(Frame::Kind::mask, mask);
  opened_[frames_.back().id] = "the loop at " + to_string(where);
  return axis.block;
}

/// The tiles a list speaks of have one size, whatever the schedule would choose.
void Builder::follow(const TileList& list, const Provenance& where) {
  Frame& frame = frames_[frames_.size() - 2];
  const auto rows = std::find_if(kernel_.axes.begin(), kernel_.axes.end(),
                                 [&](const ir::Axis& a) { return a.block == list.rows; });
  if (rows == kernel_.axes.end() || rows->requested_tile == 0)
    throw Error(errors::program["list-rows-without-tile"],
                "the rows of the list '" + list.tensor + "' are tiles of a size that is not fixed",
                {rows == kernel_.axes.end() ? list.tensor : rows->dim, "the schedule's choice",
                 "the size the list was made for: blocks(M, 64)", to_string(where)});
  ir::Axis& axis = kernel_.axes[static_cast<std::size_t>(frame.axis)];
  axis.requested_tile = list.tile > 0 ? list.tile : rows->requested_tile;
  frame.loop->name = list.tensor;
  for (const ValueId value : {list.first, list.last}) {
    ir::Index index;
    index.value = value;
    frame.loop->indices.push_back(index);
    if (!named_by_user_.insert(value).second) continue;
    kernel_.values[static_cast<std::size_t>(value)].name =
        ir::identifier_of(frame.dim) + (value == list.first ? "_begin" : "_end");
  }
}

void Builder::begin_body(ValueId mask) {
  if (mask != no_value)
    frames_.back().region->operations.push_back(
        yield_of({mask}, frames_[frames_.size() - 2].loop->where));
  frames_.pop_back();
  carry_variables();
}

ValueId Builder::open_range(ValueId count, const Provenance& where) {
  must_see(count, where);
  auto loop = std::make_unique<ir::Operation>();
  loop->op = Op::for_range;
  loop->where = where;
  loop->operands = {count};
  loop->regions.push_back(std::make_unique<ir::Region>());
  ir::Region* body = loop->regions[0].get();
  push(Frame::Kind::range, body);
  opened_[frames_.back().id] = "the loop at " + to_string(where);
  frames_.back().loop = std::move(loop);
  const ValueId counter = define(scalar(i32), frames_.back().id, "i", where);
  body->arguments.push_back(counter);
  carry_variables();
  return counter;
}

void Builder::carry_variables() {
  Frame& frame = frames_.back();
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    Variable& variable = variables_[i];
    const bool open = std::any_of(frames_.begin(), frames_.end(),
                                  [&](const Frame& f) { return f.id == variable.frame; });
    if (!open) continue;
    const ValueId argument = define(variable.type, frame.id, variable.name, variable.where);
    named_by_user_.insert(argument);
    frame.carried.push_back({static_cast<VariableId>(i), variable.current, argument});
    variable.current = argument;
  }
}

void Builder::open_when(ValueId condition, const Provenance& where) {
  must_see(condition, where);
  auto branch = std::make_unique<ir::Operation>();
  branch->op = Op::when;
  branch->where = where;
  branch->operands = {condition};
  branch->regions.push_back(std::make_unique<ir::Region>());
  push(Frame::Kind::when, branch->regions[0].get());
  opened_[frames_.back().id] = "the when at " + to_string(where);
  frames_.back().loop = std::move(branch);
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    const ValueId before = variables_[i].current;
    frames_.back().carried.push_back({static_cast<VariableId>(i), before, before});
  }
}

void Builder::close() {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  ir::Operation& loop = *frame.loop;
  std::vector<ValueId> carried_on;
  for (const Carried& carried : frame.carried) {
    Variable& variable = variables_[static_cast<std::size_t>(carried.variable)];
    if (variable.current == carried.argument) {
      replace_uses(*frame.region, carried.argument, carried.initial);
      for (ValueId& operand : carried_on)
        if (operand == carried.argument) operand = carried.initial;
      for (const Carried& other : frame.carried) {
        Variable& holder = variables_[static_cast<std::size_t>(other.variable)];
        if (holder.current == carried.argument) holder.current = carried.initial;
      }
      continue;
    }
    loop.operands.push_back(carried.initial);
    if (frame.kind != Frame::Kind::when) frame.region->arguments.push_back(carried.argument);
    carried_on.push_back(variable.current);
    const ValueId result = define(variable.type, frames_.back().id, variable.name, variable.where);
    named_by_user_.insert(result);
    loop.results.push_back(result);
    variable.current = result;
  }
  frame.region->operations.push_back(yield_of(std::move(carried_on), loop.where));
  frames_.back().region->operations.push_back(std::move(frame.loop));
}

ValueId Builder::grid_number(Op op, std::string_view dim, const Provenance& where) {
  const std::string what = op == Op::each ? "each" : "blocks";
  if (frames_.size() > 1)
    throw Error(errors::program["grid-inside-loop"],
                what + " stands inside a loop: the grid is laid out before any loop",
                {std::string(dim), "", "for_blocks inside a loop", to_string(where)});
  must_be_dimension(what, dim, where);
  must_count(std::string(dim), where);
  const auto parts = ir::parts_of(std::string(dim));
  if (op == Op::each && parts.size() > 1)
    throw Error(errors::program["each-of-flattened"],
                "each: the flattened dimension '" + std::string(dim) + "' indexes no tensor",
                {std::string(dim), "", "each of the dimensions it packs", to_string(where)});
  for (const std::string& part : parts) {
    const auto [first, fresh] = grid_.emplace(part, where);
    if (!fresh)
      throw Error(
          errors::program["grid-dimension-twice"],
          "dimension '" + part + "' is in the grid twice, first at " + to_string(first->second),
          {part, "", "each or blocks once per dimension", to_string(where)});
    if (parts.size() > 1) packed_.insert(part);
  }
  kernel_.grid.emplace_back(dim);
  ir::Operation operation;
  operation.op = op;
  operation.name = dim;
  if (op == Op::block) operation.axis = static_cast<ir::AxisId>(kernel_.axes.size());
  const ValueId number = append(std::move(operation), scalar(i32), where);
  kernel_.values[static_cast<std::size_t>(number)].name =
      ir::identifier_of(std::string(dim)) + (op == Op::each ? "_index" : "_block");
  return number;
}

ValueId Builder::grid_each(std::string_view dim, const Provenance& where) {
  return grid_number(Op::each, dim, where);
}

ValueId Builder::grid_blocks(std::string_view dim, int tile, const Provenance& where) {
  ir::Axis axis;
  axis.dim = dim;
  axis.kind = ir::Axis::Kind::grid;
  axis.requested_tile = tile;
  axis.block = grid_number(Op::block, dim, where);
  grid_axes_[axis.dim] = static_cast<ir::AxisId>(kernel_.axes.size());
  kernel_.axes.push_back(axis);
  return axis.block;
}

/// Arguments that were taken out of their loops leave holes in the list of values: closes them, so
/// that numbers and names depend on the program alone.
void Builder::drop_unused_values() {
  drop_unused_leaves(kernel_.body, ir::use_counts(kernel_));
  std::vector<ValueId> renamed(kernel_.values.size(), no_value);
  each_value(kernel_.body, [&](ValueId& value) {
    if (value != no_value) renamed[static_cast<std::size_t>(value)] = 0;
  });
  std::vector<ir::Value> kept;
  for (std::size_t i = 0; i < renamed.size(); ++i) {
    if (renamed[i] == no_value) continue;
    renamed[i] = static_cast<ValueId>(kept.size());
    kept.push_back(std::move(kernel_.values[i]));
  }
  const auto rename = [&](ValueId& value) {
    if (value != no_value) value = renamed[static_cast<std::size_t>(value)];
  };
  each_value(kernel_.body, rename);
  for (ir::Axis& axis : kernel_.axes) rename(axis.block);
  kernel_.values = std::move(kept);
}

}  // namespace tilewright
