#include "passes/rewrite.hpp"

#include <algorithm>

#include "ir/row_addresses.hpp"

namespace tilewright::passes {

void walk(ir::Region& region, const std::function<void(ir::Operation&)>& visit) {
  for (auto& operation : region.operations) {
    visit(*operation);
    for (auto& inner : operation->regions) walk(*inner, visit);
  }
}

void walk(const ir::Region& region, const std::function<void(const ir::Operation&)>& visit) {
  for (const auto& operation : region.operations) {
    visit(*operation);
    for (const auto& inner : operation->regions)
      walk(static_cast<const ir::Region&>(*inner), visit);
  }
}

void replace_uses(ir::Region& region, ValueId from, ValueId to) {
  walk(region, [&](ir::Operation& operation) {
    std::replace(operation.operands.begin(), operation.operands.end(), from, to);
    for (auto& index : operation.indices)
      if (index.value == from) index.value = to;
    if (operation.sign_of == from) operation.sign_of = to;
  });
}

bool defined_in(const ir::Region& region, ValueId value) {
  const auto holds = [&](const std::vector<ValueId>& values) {
    return std::find(values.begin(), values.end(), value) != values.end();
  };
  if (holds(region.arguments)) return true;
  for (const auto& operation : region.operations) {
    if (holds(operation->results)) return true;
    for (const auto& inner : operation->regions)
      if (defined_in(*inner, value)) return true;
  }
  return false;
}

std::unique_ptr<ir::Operation> make(ir::Kernel& kernel, Op op, ir::Type type,
                                    std::vector<ValueId> operands, const Provenance& where) {
  auto operation = std::make_unique<ir::Operation>();
  operation->op = op;
  operation->operands = std::move(operands);
  operation->where = where;
  // A tile is spread over threads as what it is made from.
  ir::AxisId rows = kernel.layout.row_axis;
  for (const ValueId operand : operation->operands)
    if (const ir::Value& from = kernel.values[static_cast<std::size_t>(operand)];
        from.row_axis >= 0 && std::count(type.axes.begin(), type.axes.end(), from.row_axis) != 0) {
      rows = from.row_axis;
      break;
    }
  const bool has_rows = std::count(type.axes.begin(), type.axes.end(), rows) != 0;
  operation->results = {kernel.add_value(std::move(type), {}, where)};
  if (has_rows) kernel.values[static_cast<std::size_t>(operation->results[0])].row_axis = rows;
  return operation;
}

bool has_axis(const ir::Kernel& kernel, ValueId value, ir::AxisId axis) {
  const auto& axes = kernel.type(value).axes;
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

bool is_pure(const ir::Kernel& kernel, const ir::Operation& operation) {
  switch (info(operation.op).kind) {
    case OpKind::leaf:
    case OpKind::pointwise:
    case OpKind::tile: return true;
    case OpKind::memory: {
      if (operation.op != Op::load) return false;
      const Argument* argument = kernel.find_argument(operation.name);
      return argument != nullptr && argument->kind == Argument::Kind::in;
    }
    default: return false;
  }
}

bool is_fragment_operand(const ir::Kernel& kernel, const ir::Operation& dot, std::size_t side) {
  const auto rows = [&](ValueId value) {
    return kernel.values[static_cast<std::size_t>(value)].row_axis;
  };
  return side == 0 && rows(dot.operands[0]) == rows(dot.results[0]) &&
         rows(dot.operands[0]) != dot.axis;
}

bool may_be_copied(const ir::Kernel& kernel, const ir::Operation& load) {
  if (load.op != Op::load || !is_pure(kernel, load)) return false;
  const auto& axes = kernel.type(load.results[0]).axes;
  return !ir::picks(load) || (axes.size() == 2 && ir::has_row_addresses(kernel, load, axes[0]));
}

namespace {

void mark_used(const ir::Operation& operation, std::vector<bool>& used) {
  const auto mark = [&](ValueId value) {
    if (value >= 0) used[static_cast<std::size_t>(value)] = true;
  };
  for (ValueId value : operation.operands) mark(value);
  for (const auto& index : operation.indices) mark(index.value);
  mark(operation.sign_of);
  if (operation.domain)
    for (const ValueId value : ir::values_named(*operation.domain)) mark(value);
}

bool drop_once(ir::Kernel& kernel, ir::Region& region, const std::vector<bool>& used) {
  bool dropped = false;
  std::erase_if(region.operations, [&](const std::unique_ptr<ir::Operation>& operation) {
    if (!is_pure(kernel, *operation)) return false;
    const bool dead =
        std::none_of(operation->results.begin(), operation->results.end(),
                     [&](ValueId value) { return used[static_cast<std::size_t>(value)]; });
    dropped |= dead;
    return dead;
  });
  for (auto& operation : region.operations)
    for (auto& inner : operation->regions) dropped |= drop_once(kernel, *inner, used);
  return dropped;
}

}  // namespace

void drop_dead(ir::Kernel& kernel) {
  for (bool again = true; again;) {
    std::vector<bool> used(kernel.values.size(), false);
    walk(static_cast<const ir::Region&>(kernel.body),
         [&](const ir::Operation& operation) { mark_used(operation, used); });
    for (const auto& axis : kernel.axes)
      if (axis.block >= 0) used[static_cast<std::size_t>(axis.block)] = true;
    again = drop_once(kernel, kernel.body, used);
  }
}

}  // namespace tilewright::passes
