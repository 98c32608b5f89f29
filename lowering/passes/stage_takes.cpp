// A take whose source lies in the thread that needs it, a whole number of the thread's column steps
// away, is a register of another number. Any other goes through shared memory: the tile is written
// there by those who hold it and read where the indices say. This pass gives those their buffer.
#include <map>

#include "passes/passes.hpp"
#include "passes/rewrite.hpp"
#include "passes/take_path.hpp"

namespace tilewright::passes {
namespace {

using ir::Operation;
using ir::Region;

void stage(ir::Kernel& kernel, Region& region, const std::vector<Operation*>& definitions) {
  std::map<std::pair<ValueId, bool>, ValueId> written;  // by tile: the buffer that holds it here
  for (std::size_t i = 0; i < region.operations.size(); ++i) {
    Operation& take = *region.operations[i];
    for (auto& inner : take.regions) stage(kernel, *inner, definitions);
    if (take.op != Op::take || take.operands.size() > 2 || columns_moved(kernel, definitions, take))
      continue;
    const ValueId x = take.operands[0];
    const bool by_warp = stays_in_warp(kernel, take);
    if (const auto known = written.find({x, by_warp}); known != written.end()) {
      take.operands.push_back(known->second);
      take.masked = true;
      continue;
    }
    const ir::Value source = kernel.values[static_cast<std::size_t>(x)];
    ir::Type type = source.type;
    type.kind = ir::Type::Kind::buffer;
    type.dtype = is_floating(type.dtype) ? DType::f32 : DType::i32;
    if (type.axes.size() == 2 && type.axes[1] == source.row_axis)
      std::swap(type.axes[0], type.axes[1]);
    const std::string name = source.name.empty() ? "taken" : source.name;
    auto alloc = make(kernel, Op::shared_alloc, type, {}, take.where);
    ir::Value& buffer = kernel.values[static_cast<std::size_t>(alloc->results[0])];
    buffer.name = name;
    buffer.place.kind = ir::Place::Kind::shared;
    take.operands.push_back(alloc->results[0]);
    written[{x, by_warp}] = alloc->results[0];
    region.operations.insert(region.operations.begin() + static_cast<std::ptrdiff_t>(i),
                             std::move(alloc));
    ++i;
  }
}

}  // namespace

std::optional<int> columns_moved(const ir::Kernel& kernel,
                                 const std::vector<Operation*>& definitions,
                                 const Operation& take) {
  const ValueId x = take.operands[0], result = take.results[0];
  const auto of = [&](ValueId value) -> const ir::Value& {
    return kernel.values[static_cast<std::size_t>(value)];
  };
  const ir::Operation* picks = definitions[static_cast<std::size_t>(take.operands[1])];
  int moved = 0;
  if (picks != nullptr && (picks->op == Op::add || picks->op == Op::sub)) {
    const ir::Operation* number = definitions[static_cast<std::size_t>(picks->operands[1])];
    if (number == nullptr || number->op != Op::constant) return std::nullopt;
    moved = static_cast<int>(number->constant) * (picks->op == Op::add ? 1 : -1);
    picks = definitions[static_cast<std::size_t>(picks->operands[0])];
  }
  if (picks == nullptr || picks->op != Op::index) return std::nullopt;
  // Source and result stand in the same rows, and both dimensions run along columns.
  if (of(x).row_axis == take.axis || of(result).row_axis == picks->axis) return std::nullopt;
  const bool rows_alike =
      of(x).type.axes.size() == 1 || (of(x).row_axis >= 0 && of(x).row_axis == of(result).row_axis);
  const auto counted_from_0 = [&](ir::AxisId axis) {
    return kernel.axes[static_cast<std::size_t>(axis)].kind == ir::Axis::Kind::whole;
  };
  const bool one_start =
      take.axis == picks->axis || (counted_from_0(take.axis) && counted_from_0(picks->axis));
  const ir::Axis& source = kernel.axes[static_cast<std::size_t>(take.axis)];
  if (!counted_from_0(take.axis) && source.padded > source.tile) return std::nullopt;
  const int step = kernel.layout.lanes_per_row * kernel.layout.vector;
  if (!rows_alike || !one_start || moved % step != 0) return std::nullopt;
  return moved;
}

bool stays_in_warp(const ir::Kernel& kernel, const Operation& take) {
  const ir::Value &x = kernel.values[static_cast<std::size_t>(take.operands[0])],
                  &result = kernel.values[static_cast<std::size_t>(take.results[0])];
  return x.type.axes.size() == 2 && x.row_axis >= 0 && x.row_axis != take.axis &&
         x.row_axis == result.row_axis;
}

void stage_takes(ir::Kernel& kernel) { stage(kernel, kernel.body, ir::definitions(kernel)); }

}  // namespace tilewright::passes
