// row_sum = row_sum * alpha + reduce_sum(p) needs no sum over lanes inside the loop: every thread
// can keep the sum of its own columns, because alpha is the same in all lanes of a row and addition
// is linear. One sum over lanes after the loop finishes the reduction. A sum over the rows of all
// warps is kept the same way: each thread has the sum of its own rows.
#include "passes/passes.hpp"
#include "passes/rewrite.hpp"

namespace tilewright::passes {
namespace {

using ir::Operation;
using ir::Region;

Operation* find_definition(Region& region, ValueId value) {
  for (auto& operation : region.operations)
    for (ValueId result : operation->results)
      if (result == value) return operation.get();
  return nullptr;
}

/// The reduce_sum in `yielded = carried [* uniform-in-a-row] + reduce_sum(x)`, or null.
Operation* linear_sum(ir::Kernel& kernel, Region& body, ValueId carried, ValueId yielded,
                      const std::vector<int>& uses) {
  Operation* add = find_definition(body, yielded);
  if (add == nullptr || add->op != Op::add || uses[static_cast<std::size_t>(carried)] != 1)
    return nullptr;
  for (const std::size_t side : {0u, 1u}) {
    Operation* sum = find_definition(body, add->operands[side]);
    const ValueId rest = add->operands[1 - side];
    if (sum == nullptr || sum->op != Op::reduce_sum ||
        uses[static_cast<std::size_t>(sum->results[0])] != 1)
      continue;
    if (kernel.type(sum->results[0]).axes != kernel.type(carried).axes) continue;
    if (kernel.values[static_cast<std::size_t>(sum->operands[0])].row_axis < 0) continue;
    if (rest == carried) return sum;
    const Operation* scaled = find_definition(body, rest);
    if (scaled == nullptr || scaled->op != Op::mul || uses[static_cast<std::size_t>(rest)] != 1)
      continue;
    for (const std::size_t operand : {0u, 1u})
      if (scaled->operands[operand] == carried && scaled->operands[1 - operand] != carried)
        return sum;
  }
  return nullptr;
}

void defer(ir::Kernel& kernel, Region& region) {
  for (std::size_t i = 0; i < region.operations.size(); ++i) {
    Operation& loop = *region.operations[i];
    for (auto& inner : loop.regions) defer(kernel, *inner);
    if (loop.op != Op::for_blocks && loop.op != Op::for_range) continue;
    Region& body = *loop.regions.back();
    const Operation& yield = *body.operations.back();
    const auto uses = ir::use_counts(kernel);
    const std::size_t first_init = loop.op == Op::for_range ? 1 : 0;
    for (std::size_t k = 0; k < yield.operands.size(); ++k) {
      const Operation* init = find_definition(region, loop.operands[first_init + k]);
      if (init == nullptr || init->op != Op::constant || init->constant != 0) continue;
      Operation* sum = linear_sum(kernel, body, body.arguments[1 + k], yield.operands[k], uses);
      if (sum == nullptr || uses[static_cast<std::size_t>(yield.operands[k])] != 1) continue;
      sum->per_thread = true;
      const ValueId kept = loop.results[k];
      auto finish = make(kernel, Op::finish_reduce, kernel.type(kept), {kept}, sum->where);
      const ValueId whole = finish->results[0];
      finish->axis = sum->axis;
      finish->across_warps = sum->across_warps;
      kernel.values[static_cast<std::size_t>(whole)].row_axis =
          kernel.values[static_cast<std::size_t>(kept)].row_axis;
      kernel.values[static_cast<std::size_t>(whole)].name =
          kernel.values[static_cast<std::size_t>(kept)].name;
      replace_uses(kernel.body, kept, whole);
      finish->operands[0] = kept;
      region.operations.insert(region.operations.begin() + static_cast<std::ptrdiff_t>(i + 1),
                               std::move(finish));
    }
  }
}

}  // namespace

void defer_reductions(ir::Kernel& kernel) { defer(kernel, kernel.body); }

}  // namespace tilewright::passes
