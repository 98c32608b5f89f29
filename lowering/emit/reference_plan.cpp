// Decides from the last operation to the first, so that the place of every use is known when its
// value is looked at. See reference_plan.hpp.
#include "emit/reference_plan.hpp"

namespace tilewright::emit {

using ir::Operation;
using ir::Region;

namespace {

/// Names that are longer to say than the expression they stand for: coordinates up to this many
/// operations are written out again at each use.
constexpr int short_expression = 3;

}  // namespace

ReferencePlan::ReferencePlan(const ir::Kernel& kernel)
    : kernel_(kernel),
      inlined_(kernel.values.size(), false),
      definition_(kernel.values.size(), nullptr),
      uses_(kernel.values.size(), 0),
      use_(kernel.values.size()) {
  for (std::size_t i = 0; i < kernel.axes.size(); ++i)
    if (kernel.axes[i].kind == ir::Axis::Kind::grid && kernel.axes[i].follows < 0)
      rows_.insert(static_cast<ir::AxisId>(i));
  scan(kernel.body);
  decide(kernel.body);
}

/// Notes who defines what, and takes contracted axes out of the rows.
void ReferencePlan::scan(const Region& region) {
  for (const auto& operation : region.operations) {
    for (const ValueId result : operation->results)
      definition_[static_cast<std::size_t>(result)] = operation.get();
    if (operation->op == Op::dot || is_reduction(operation->op) || operation->op == Op::take)
      rows_.erase(operation->axis);
    if (operation->op == Op::take) taken_.insert(operation->operands[0]);
    for (const auto& nested : operation->regions) scan(*nested);
  }
}

std::vector<ir::AxisId> ReferencePlan::free_axes(const ir::Type& type) const {
  std::vector<ir::AxisId> axes;
  for (const ir::AxisId axis : type.axes)
    if (!is_row(axis)) axes.push_back(axis);
  return axes;
}

AxisSet ReferencePlan::free_set(ValueId value) const {
  const auto axes = free_axes(kernel_.type(value));
  return {axes.begin(), axes.end()};
}

void ReferencePlan::decide(const Region& region) {
  for (auto it = region.operations.rbegin(); it != region.operations.rend(); ++it)
    decide(**it, region);
}

void ReferencePlan::decide(const Operation& operation, const Region& region) {
  for (auto it = operation.regions.rbegin(); it != operation.regions.rend(); ++it) {
    if (!(*it)->operations.empty() && (*it)->operations.back()->op == Op::yield)
      note_uses(*(*it)->operations.back(), **it, &operation);
    decide(**it);
  }
  if (operation.op == Op::yield) return;
  if (operation.results.size() == 1 && operation.regions.empty()) {
    const auto result = static_cast<std::size_t>(operation.results[0]);
    inlined_[result] = uses_[result] == 0 || decide_inline(operation, region);
    if (uses_[result] == 0) return;
  }
  note_uses(operation, region, nullptr);
}

void ReferencePlan::note_uses(const Operation& operation, const Region& region,
                              const Operation* loop) {
  AxisSet nest;
  const Region* home = &region;
  const bool computes = operation.results.size() == 1 && operation.regions.empty();
  if (computes) {
    const ValueId result = operation.results[0];
    const Use& use = use_[static_cast<std::size_t>(result)];
    nest = inlined(result) ? use.nest : free_set(result);
    if (inlined(result) && use.home) home = use.home;
    if (operation.op == Op::dot || is_reduction(operation.op)) nest.insert(operation.axis);
  }
  const bool carries = loop && &region == loop->regions.back().get();
  // An index is written once for every element that is stored.
  const AxisSet around = writes_memory(operation.op) ? free_set(operation.operands[0]) : nest;
  const auto note = [&](ValueId value, Use use) {
    ++uses_[static_cast<std::size_t>(value)];
    use_[static_cast<std::size_t>(value)] = std::move(use);
  };
  for (const ValueId operand : operation.operands)
    note(operand, {computes ? nest : free_set(operand), home, carries});
  for (const ir::Index& index : operation.indices)
    if (index.value != no_value) note(index.value, {around, home, false});
}

bool ReferencePlan::decide_inline(const Operation& operation, const Region& region) const {
  const ValueId result = operation.results[0];
  const ir::Value& value = kernel_.values[static_cast<std::size_t>(result)];
  const OpInfo what = info(operation.op);
  if (what.kind == OpKind::leaf) return true;
  if (taken_.contains(result)) return false;  // read at other elements than its own
  if (operation.op == Op::load) {
    const Argument* tensor = kernel_.find_argument(operation.name);
    return tensor && tensor->kind == Argument::Kind::in;
  }
  const Use& use = use_[static_cast<std::size_t>(result)];
  if (uses(result) != 1)
    return value.name.empty() && what.kind == OpKind::pointwise &&
           size(result, short_expression) <= short_expression;
  if (!value.name.empty() && !use.assigned) return false;
  if (what.kind == OpKind::pointwise) return true;
  return what.kind == OpKind::tile && use.home == &region && use.nest == free_set(result);
}

/// Operations to write out for `value`, more than `budget` where that is exceeded; named values
/// count nothing, what is no coordinate too much.
int ReferencePlan::size(ValueId value, int budget) const {
  const Operation* operation = definition(value);
  if (!operation) return 0;
  const OpInfo what = info(operation->op);
  if (what.kind == OpKind::leaf) return 0;
  if (what.kind != OpKind::pointwise || is_floating(kernel_.type(value).dtype)) return budget + 1;
  if (!kernel_.values[static_cast<std::size_t>(value)].name.empty()) return 0;
  int total = 1;
  for (const ValueId operand : operation->operands) {
    if (total > budget) break;
    total += size(operand, budget - total);
  }
  return total;
}

}  // namespace tilewright::emit
