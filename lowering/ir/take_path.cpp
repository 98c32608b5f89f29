// See take_path.hpp.
#include "ir/take_path.hpp"

namespace tilewright::ir {

std::optional<int> columns_moved(const Kernel& kernel, const std::vector<Operation*>& definitions,
                                 const Operation& take) {
  const ValueId x = take.operands[0], result = take.results[0];
  const auto of = [&](ValueId value) -> const Value& {
    return kernel.values[static_cast<std::size_t>(value)];
  };
  const Operation* picks = definitions[static_cast<std::size_t>(take.operands[1])];
  int moved = 0;
  if (picks != nullptr && (picks->op == Op::add || picks->op == Op::sub)) {
    const Operation* number = definitions[static_cast<std::size_t>(picks->operands[1])];
    if (number == nullptr || number->op != Op::constant) return std::nullopt;
    moved = static_cast<int>(number->constant) * (picks->op == Op::add ? 1 : -1);
    picks = definitions[static_cast<std::size_t>(picks->operands[0])];
  }
  if (picks == nullptr || picks->op != Op::index) return std::nullopt;
  // Source and result stand in the same rows, and both dimensions run along columns.
  if (of(x).row_axis == take.axis || of(result).row_axis == picks->axis) return std::nullopt;
  const bool rows_alike =
      of(x).type.axes.size() == 1 || (of(x).row_axis >= 0 && of(x).row_axis == of(result).row_axis);
  const auto counted_from_0 = [&](AxisId axis) {
    return kernel.axes[static_cast<std::size_t>(axis)].kind == Axis::Kind::whole;
  };
  const bool one_start =
      take.axis == picks->axis || (counted_from_0(take.axis) && counted_from_0(picks->axis));
  const Axis& source = kernel.axes[static_cast<std::size_t>(take.axis)];
  if (!counted_from_0(take.axis) && source.padded > source.tile) return std::nullopt;
  const int step = kernel.layout.lanes_per_row * kernel.layout.vector;
  if (!rows_alike || !one_start || moved % step != 0) return std::nullopt;
  return moved;
}

bool stays_in_warp(const Kernel& kernel, const Operation& take) {
  const Value &x = kernel.values[static_cast<std::size_t>(take.operands[0])],
              &result = kernel.values[static_cast<std::size_t>(take.results[0])];
  return x.type.axes.size() == 2 && x.row_axis >= 0 && x.row_axis != take.axis &&
         x.row_axis == result.row_axis;
}

}  // namespace tilewright::ir
