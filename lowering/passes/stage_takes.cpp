// A take whose source lies in the thread that needs it, a whole number of the thread's column steps
// away, is a register of another number. Any other goes through shared memory: the tile is written
// there by those who hold it and read where the indices say. This pass gives those their buffer.
#include <map>

#include "ir/take_path.hpp"
#include "passes/passes.hpp"
#include "passes/rewrite.hpp"

namespace tilewright::passes {
namespace {

using ir::Operation;
using ir::Region;

void stage(ir::Kernel& kernel, Region& region, const std::vector<Operation*>& definitions) {
  std::map<std::pair<ValueId, bool>, ValueId> written;  // by tile: the buffer that holds it here
  for (std::size_t i = 0; i < region.operations.size(); ++i) {
    Operation& take = *region.operations[i];
    for (auto& inner : take.regions) stage(kernel, *inner, definitions);
    if (take.op != Op::take || take.operands.size() > 2 ||
        ir::columns_moved(kernel, definitions, take))
      continue;
    const ValueId x = take.operands[0];
    const bool by_warp = ir::stays_in_warp(kernel, take);
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

void stage_takes(ir::Kernel& kernel) { stage(kernel, kernel.body, ir::definitions(kernel)); }

}  // namespace tilewright::passes
