// What a loop would compute anew each time with the same result moves in front of it. Loads of an
// `In` move too: nobody writes them while the kernel runs.
#include "passes/passes.hpp"
#include "passes/rewrite.hpp"

namespace tilewright::passes {
namespace {

bool depends_on(const ir::Kernel& kernel, const ir::Operation& operation, const ir::Region& body,
                ir::AxisId axis) {
  for (ValueId operand : operation.operands)
    if (defined_in(body, operand)) return true;
  for (const auto& index : operation.indices) {
    if (index.value >= 0 && defined_in(body, index.value)) return true;
    if (index.axis >= 0 && kernel.leader(index.axis) == axis) return true;
  }
  if (operation.axis >= 0 && kernel.leader(operation.axis) == axis) return true;
  for (ValueId result : operation.results)
    for (const ir::AxisId own : kernel.type(result).axes)
      if (axis >= 0 && kernel.leader(own) == axis) return true;
  return false;
}

void hoist(ir::Kernel& kernel, ir::Region& region) {
  for (std::size_t i = 0; i < region.operations.size(); ++i) {
    ir::Operation& loop = *region.operations[i];
    for (auto& inner : loop.regions) hoist(kernel, *inner);
    if (loop.op != Op::for_blocks && loop.op != Op::for_range) continue;
    ir::Region& body = *loop.regions.back();
    const ir::AxisId axis = loop.op == Op::for_blocks ? loop.axis : -1;
    for (std::size_t j = 0; j < body.operations.size();) {
      ir::Operation& candidate = *body.operations[j];
      if (!is_pure(kernel, candidate) || depends_on(kernel, candidate, body, axis)) {
        ++j;
        continue;
      }
      auto moved = std::move(body.operations[j]);
      body.operations.erase(body.operations.begin() + static_cast<std::ptrdiff_t>(j));
      region.operations.insert(region.operations.begin() + static_cast<std::ptrdiff_t>(i),
                               std::move(moved));
      ++i;
    }
  }
}

}  // namespace

void hoist_invariants(ir::Kernel& kernel) { hoist(kernel, kernel.body); }

}  // namespace tilewright::passes
