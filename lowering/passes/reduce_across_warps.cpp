// A reduction over the dimension that runs over warps meets in shared memory: each warp writes what
// its rows give, a barrier, and every thread reads what all warps wrote, in their order. Warps that
// are quick must not write the next round's rows while slow ones still read this round's, so inside
// a loop another barrier has to stand somewhere between: any that the loop's body has will do, that
// of a second such reduction included.
#include "passes/passes.hpp"
#include "passes/rewrite.hpp"

namespace tilewright::passes {
namespace {

using ir::Operation;
using ir::Region;
using List = std::vector<std::unique_ptr<Operation>>;

class AcrossWarps {
 public:
  explicit AcrossWarps(ir::Kernel& kernel) : kernel_(kernel) {}

  void run() {
    auto& operations = kernel_.body.operations;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      Operation& outermost = *operations[i];
      if (meets(outermost)) buffers_.push_back(buffer_for(outermost));
      const bool loop = is_loop(outermost);
      for (auto& inner : outermost.regions) visit(*inner, loop);
      const std::size_t count = buffers_.size();
      operations.insert(operations.begin() + static_cast<std::ptrdiff_t>(i),
                        std::make_move_iterator(buffers_.begin()),
                        std::make_move_iterator(buffers_.end()));
      buffers_.clear();
      i += count;
    }
  }

 private:
  static bool is_loop(const Operation& operation) {
    return operation.op == Op::for_blocks || operation.op == Op::for_range;
  }

  static bool meets(const Operation& operation) {
    return operation.across_warps && !operation.per_thread;
  }

  void visit(Region& region, bool in_loop) {
    int barriers = 0;
    for (const auto& operation : region.operations)
      barriers += operation->op == Op::barrier || meets(*operation) ? 1 : 0;
    for (std::size_t i = 0; i < region.operations.size(); ++i) {
      Operation& operation = *region.operations[i];
      for (auto& inner : operation.regions) visit(*inner, in_loop || is_loop(operation));
      if (!meets(operation)) continue;
      buffers_.push_back(buffer_for(operation));
      if (!in_loop || barriers > 1) continue;
      auto barrier = std::make_unique<Operation>();
      barrier->op = Op::barrier;
      barrier->where = operation.where;
      region.operations.insert(region.operations.begin() + static_cast<std::ptrdiff_t>(i),
                               std::move(barrier));
      ++barriers;
      ++i;
    }
  }

  std::unique_ptr<Operation> buffer_for(Operation& reduction) {
    const ValueId result = reduction.results[0];
    ir::Type type = kernel_.type(result);
    type.kind = ir::Type::Kind::buffer;
    type.dtype = kernel_.type(reduction.operands[0]).dtype;
    auto alloc = make(kernel_, Op::shared_alloc, type, {}, reduction.where);
    ir::Value& buffer = kernel_.values[static_cast<std::size_t>(alloc->results[0])];
    buffer.row_axis = -1;
    const std::string& name = kernel_.values[static_cast<std::size_t>(result)].name;
    buffer.name = name.empty() ? "part" : name;
    buffer.place.kind = ir::Place::Kind::shared;
    int columns = 1;
    for (const ir::AxisId axis : type.axes)
      columns *= kernel_.axes[static_cast<std::size_t>(axis)].padded;
    constexpr int word = 4;  // f32 or i32 whatever the type, and beside it a place of 32 bits
    const int words = reduction.op == Op::reduce_argmax ? 2 : 1;
    buffer.place.bytes = kernel_.layout.warps * columns * word * words;
    reduction.operands.push_back(alloc->results[0]);
    return alloc;
  }

  ir::Kernel& kernel_;
  List buffers_;  ///< of the outermost operation at hand, which they stand in front of
};

}  // namespace

void reduce_across_warps(ir::Kernel& kernel) {
  if (kernel.layout.warps > 1) AcrossWarps(kernel).run();
}

}  // namespace tilewright::passes
