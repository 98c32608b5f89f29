// A product of a vector and a matrix, or of two vectors, has no shape for tensor cores: it is
// written as what it means, a multiplication in the accumulator's type and a sum over the
// contracted dimension.
#include <algorithm>

#include "passes/passes.hpp"
#include "passes/rewrite.hpp"

namespace tilewright::passes {
namespace {

using ir::AxisId;

bool is_matrix_product(const ir::Kernel& kernel, const ir::Operation& dot) {
  return kernel.type(dot.operands[0]).axes.size() == 2 &&
         kernel.type(dot.operands[1]).axes.size() == 2;
}

void expand(ir::Kernel& kernel, ir::Region& region) {
  for (std::size_t i = 0; i < region.operations.size(); ++i) {
    ir::Operation& dot = *region.operations[i];
    for (auto& inner : dot.regions) expand(kernel, *inner);
    if (dot.op != Op::dot || is_matrix_product(kernel, dot)) continue;
    ir::Type type = kernel.type(dot.operands[0]);
    for (const AxisId axis : kernel.type(dot.operands[1]).axes)
      if (std::find(type.axes.begin(), type.axes.end(), axis) == type.axes.end())
        type.axes.push_back(axis);
    type.dtype = kernel.type(dot.results[0]).dtype;
    std::vector<std::unique_ptr<ir::Operation>> made;
    std::vector<ValueId> factors;
    for (const std::size_t side : {0u, 1u}) {
      ir::Type own = kernel.type(dot.operands[side]);
      if (own.dtype != type.dtype) {
        own.dtype = type.dtype;
        made.push_back(make(kernel, Op::cast, own, {dot.operands[side]}, dot.where));
        factors.push_back(made.back()->results[0]);
      } else {
        factors.push_back(dot.operands[side]);
      }
    }
    made.push_back(make(kernel, Op::mul, type, factors, dot.where));
    dot.op = Op::reduce_sum;
    dot.operands = {made.back()->results[0]};
    const std::size_t count = made.size();
    region.operations.insert(region.operations.begin() + static_cast<std::ptrdiff_t>(i),
                             std::make_move_iterator(made.begin()),
                             std::make_move_iterator(made.end()));
    i += count;
  }
}

}  // namespace

void vector_products(ir::Kernel& kernel) { expand(kernel, kernel.body); }

}  // namespace tilewright::passes
