// See cut_tiles.hpp.
#include "ir/cut_tiles.hpp"

#include <algorithm>

namespace tilewright::ir {

bool may_sink(const Kernel& kernel, const Operation& operation) {
  const bool computes = operation.op == Op::load || operation.op == Op::take ||
                        is_pointwise(operation.op) || is_reduction(operation.op);
  if (!computes || operation.cut_only || operation.across_warps || operation.per_thread)
    return false;
  return std::none_of(operation.operands.begin(), operation.operands.end(), [&](ValueId operand) {
    return kernel.type(operand).kind == Type::Kind::buffer;
  });
}

int reads_in_cut_tiles(const Kernel& kernel, const Operation& operation, ValueId value) {
  int reads = 0;
  if (operation.sunk) {
    for (const ValueId operand : operation.operands) reads += operand == value;
    for (const Index& index : operation.indices) reads += index.value == value;
  } else if (operation.cut_only && kernel.type(value).dtype == DType::b1) {
    const std::size_t first = operation.op == Op::select ? 0 : 1;
    const std::size_t end = operation.op == Op::select ? 1 : operation.operands.size();
    for (std::size_t i = first; i < end; ++i) reads += operation.operands[i] == value;
  }
  return reads;
}

}  // namespace tilewright::ir
