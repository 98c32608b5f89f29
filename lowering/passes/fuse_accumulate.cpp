// x + dot(a, b) becomes dot(a, b, x): the tensor cores add the accumulator they are given.
#include <algorithm>
#include <map>

#include "passes/passes.hpp"
#include "passes/rewrite.hpp"

namespace tilewright::passes {
namespace {

/// Axes equal as sets: an accumulator must cover the whole result.
bool same_axes(const ir::Kernel& kernel, ValueId a, ValueId b) {
  auto x = kernel.type(a).axes, y = kernel.type(b).axes;
  std::sort(x.begin(), x.end());
  std::sort(y.begin(), y.end());
  return x == y && kernel.type(a).dtype == kernel.type(b).dtype;
}

void fuse(ir::Kernel& kernel, ir::Region& region, const std::vector<int>& uses) {
  std::map<ValueId, std::size_t> dots;
  for (std::size_t i = 0; i < region.operations.size(); ++i) {
    ir::Operation& operation = *region.operations[i];
    for (auto& inner : operation.regions) fuse(kernel, *inner, uses);
    if (operation.op == Op::dot && operation.operands.size() == 2) dots[operation.results[0]] = i;
    if (operation.op != Op::add) continue;
    for (const std::size_t side : {1u, 0u}) {
      const auto found = dots.find(operation.operands[side]);
      if (found == dots.end()) continue;
      const ValueId product = found->first, other = operation.operands[1 - side];
      // A named product is a paragraph of its own: the reader expects to see it.
      if (uses[static_cast<std::size_t>(product)] != 1 || !same_axes(kernel, product, other))
        continue;
      if (!kernel.values[static_cast<std::size_t>(product)].name.empty()) continue;
      ir::Operation& dot = *region.operations[found->second];
      operation.op = Op::dot;
      operation.axis = dot.axis;
      operation.masked = dot.masked;
      operation.operands = {dot.operands[0], dot.operands[1], other};
      kernel.values[static_cast<std::size_t>(operation.results[0])].type.axes =
          kernel.type(product).axes;
      break;
    }
  }
}

}  // namespace

void fuse_accumulate(ir::Kernel& kernel) {
  fuse(kernel, kernel.body, ir::use_counts(kernel));
  drop_dead(kernel);
}

}  // namespace tilewright::passes
