// Additions of f32 round, so their order shows; additions of i32 wrap, and it does not. A store
// that picks its places may meet one place twice, and then the last to come stays. See
// determinism.hpp.
#include "ir/determinism.hpp"

#include <algorithm>

#include "ir/flattened.hpp"

namespace tilewright::ir {

namespace {

void collect(const Kernel& kernel, const DefinitionOf& definition, const Region& region,
             std::vector<std::string>& sentences) {
  for (const auto& op : region.operations) {
    for (const auto& nested : op->regions) collect(kernel, definition, *nested, sentences);
    if (!writes_memory(op->op)) continue;
    const std::string where = to_string(op->where);
    const std::string statement = std::string(info(op->op).name) + "(" + op->name + ")" +
                                  (where.empty() ? "" : " at " + where) + ": ";
    const bool picks = std::any_of(op->indices.begin(), op->indices.end(), [](const Index& index) {
      return index.kind == IndexSpec::Kind::gather;
    });
    if (op->op == Op::atomic_add && is_floating(kernel.type(op->operands[0]).dtype))
      sentences.push_back(statement + "f32 sums depend on the order of their terms");
    if (op->op == Op::store && picks && !picks_each_once(kernel, definition, *op))
      sentences.push_back(statement + "of two elements with the same indices either may stay");
  }
}

}  // namespace

std::vector<std::string> order_dependent(const Kernel& kernel) {
  std::vector<std::string> sentences;
  const auto definitions = ir::definitions(kernel);
  const auto definition = [&](ValueId value) {
    return value < 0 ? nullptr : definitions[static_cast<std::size_t>(value)];
  };
  collect(kernel, definition, kernel.body, sentences);
  return sentences;
}

}  // namespace tilewright::ir
