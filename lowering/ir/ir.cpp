// The few things the data structures of ir.hpp do themselves: make a value, find an argument, copy,
// list an operation's effects, and the two tables (definitions, uses) that passes rebuild when
// needed. The text form is in print.cpp, the rules in verify.cpp, the meaning in interpret.cpp.
#include "ir/ir.hpp"

#include "ir/flattened.hpp"

namespace tilewright::ir {

namespace {

std::unique_ptr<Region> copy(const Region& region);

std::unique_ptr<Operation> copy(const Operation& operation) {
  auto result = std::make_unique<Operation>();
  result->op = operation.op;
  result->operands = operation.operands;
  result->results = operation.results;
  for (const auto& region : operation.regions) result->regions.push_back(copy(*region));
  result->constant = operation.constant;
  result->name = operation.name;
  result->axis = operation.axis;
  result->indices = operation.indices;
  result->masked = operation.masked;
  result->cut_only = operation.cut_only;
  result->sunk = operation.sunk;
  result->per_thread = operation.per_thread;
  result->across_warps = operation.across_warps;
  result->tf32 = operation.tf32;
  result->sign_of = operation.sign_of;
  result->stage_ahead = operation.stage_ahead;
  result->pending = operation.pending;
  result->role = operation.role;
  result->domain = operation.domain;
  result->where = operation.where;
  return result;
}

std::unique_ptr<Region> copy(const Region& region) {
  auto result = std::make_unique<Region>();
  result->arguments = region.arguments;
  for (const auto& operation : region.operations) result->operations.push_back(copy(*operation));
  return result;
}

template <typename Defining>
void define(const Region& region, std::vector<Defining*>& table) {
  for (const auto& operation : region.operations) {
    for (const ValueId result : operation->results)
      table[static_cast<std::size_t>(result)] = operation.get();
    for (const auto& nested : operation->regions) define(*nested, table);
  }
}

void count(const Region& region, std::vector<int>& table) {
  const auto use = [&](ValueId value) {
    if (value != no_value) ++table[static_cast<std::size_t>(value)];
  };
  for (const auto& operation : region.operations) {
    for (const ValueId operand : operation->operands) use(operand);
    for (const Index& index : operation->indices) use(index.value);
    use(operation->sign_of);
    for (const auto& nested : operation->regions) count(*nested, table);
  }
}

}  // namespace

std::vector<Effect> Operation::effects() const {
  const auto shared = [&] { return "shared:" + name; };
  switch (op) {
    case Op::load: return {{Effect::Kind::read, name}};
    case Op::atomic_add:
    case Op::store: return {{Effect::Kind::write, name}};
    case Op::copy_async: return {{Effect::Kind::read, name}, {Effect::Kind::write, shared()}};
    case Op::operand_load: return {{Effect::Kind::read, shared()}};
    case Op::wait:
    case Op::barrier: return {{Effect::Kind::synchronize, ""}};
    case Op::for_blocks:
    case Op::for_range:
    case Op::when: {
      std::vector<Effect> all;
      if (follows_list()) all.push_back({Effect::Kind::read, name});
      for (const auto& region : regions)
        for (const auto& operation : region->operations)
          for (Effect& effect : operation->effects()) all.push_back(std::move(effect));
      return all;
    }
    default: return {};
  }
}

ValueId Kernel::add_value(Type type, std::string name, Provenance where) {
  Value value;
  value.type = std::move(type);
  value.name = std::move(name);
  value.where = std::move(where);
  values.push_back(std::move(value));
  return static_cast<ValueId>(values.size()) - 1;
}

const Argument* Kernel::find_argument(const std::string& wanted) const {
  for (const Argument& argument : arguments)
    if (argument.name == wanted) return &argument;
  return nullptr;
}

AxisId Kernel::leader(AxisId axis) const {
  if (axis < 0) return axis;
  const AxisId followed = axes[static_cast<std::size_t>(axis)].follows;
  return followed < 0 ? axis : followed;
}

const std::string& Kernel::counted_along(AxisId axis) const {
  return axes[static_cast<std::size_t>(leader(axis))].dim;
}

std::optional<int> Kernel::known_extent(AxisId id) const {
  const Axis& axis = axes[static_cast<std::size_t>(id)];
  if (axis.kind == Axis::Kind::whole && axis.tile > 0) return axis.tile;
  return bound_extent(*this, counted_along(id));
}

bool Kernel::may_leave(const Operation& operation, std::size_t which) const {
  const Index& index = operation.indices[which];
  if (index.axis < 0) return false;
  const std::string& dim = find_argument(operation.name)->dims[which];
  const Axis& axis = axes[static_cast<std::size_t>(index.axis)];
  const bool whole = axis.kind == Axis::Kind::whole, plain = index.step == 1 && index.offset == 0;
  const auto own = known_extent(index.axis);
  const auto extent = bound.find(dim);
  if (own && extent != bound.end())
    return index.offset < 0 ||
           std::int64_t{index.step} * (*own - 1) + index.offset >= extent->second;
  return !plain || dim != (whole ? axis.dim : counted_along(index.axis));
}

Kernel Kernel::clone() const {
  Kernel result;
  result.name = name;
  result.arguments = arguments;
  result.grid = grid;
  result.axes = axes;
  result.values = values;
  result.body = std::move(*copy(body));
  result.bound = bound;
  result.layout = layout;
  result.shared_bytes = shared_bytes;
  return result;
}

std::vector<Operation*> definitions(Kernel& kernel) {
  std::vector<Operation*> table(kernel.values.size(), nullptr);
  define(kernel.body, table);
  return table;
}

std::vector<const Operation*> definitions(const Kernel& kernel) {
  std::vector<const Operation*> table(kernel.values.size(), nullptr);
  define(kernel.body, table);
  return table;
}

std::vector<int> use_counts(const Kernel& kernel) {
  std::vector<int> table(kernel.values.size(), 0);
  count(kernel.body, table);
  return table;
}

}  // namespace tilewright::ir
