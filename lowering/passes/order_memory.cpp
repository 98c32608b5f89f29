// A program of the grid sees its own stores in the order of its statements, whichever thread made
// them. Most accesses to one element are by one thread and need nothing; where the compiler can't
// tell (a value that several threads hold, rows picked by an index, a tile that went through shared
// memory), a barrier stands between them. It orders global memory among the threads of a block, and
// every region is entered by all of them together.
#include <algorithm>
#include <map>
#include <vector>

#include "passes/passes.hpp"
#include "passes/rewrite.hpp"

namespace tilewright::passes {
namespace {

using ir::Operation;
using ir::Region;

/// By tensor: what the block may have done to it since its last barrier.
using Pending = std::map<std::string, std::vector<const Operation*>>;

class Orderer {
 public:
  explicit Orderer(ir::Kernel& kernel) : kernel_(kernel) {}

  void run() {
    Pending pending;
    order(kernel_.body, pending);
  }

 private:
  void order(Region& region, Pending& pending) {
    for (std::size_t i = 0; i < region.operations.size(); ++i) {
      Operation& operation = *region.operations[i];
      if (operation.op == Op::barrier) pending.clear();
      if (!operation.regions.empty()) {
        // A region may run not at all, or again after itself.
        const Pending before = pending;
        for (int turn = 0; turn < 2; ++turn)
          for (auto& inner : operation.regions) order(*inner, pending);
        for (const auto& [tensor, accesses] : before)
          for (const Operation* access : accesses) note(pending, *access);
        continue;
      }
      if (!touches_in_out(operation)) continue;
      const auto& earlier = pending[operation.name];
      if (std::any_of(earlier.begin(), earlier.end(),
                      [&](const Operation* access) { return conflicts(*access, operation); })) {
        auto barrier = std::make_unique<Operation>();
        barrier->op = Op::barrier;
        barrier->name = operation.name;
        barrier->where = operation.where;
        region.operations.insert(region.operations.begin() + static_cast<std::ptrdiff_t>(i),
                                 std::move(barrier));
        ++i;
        pending.clear();
      }
      note(pending, *region.operations[i]);
    }
  }

  static void note(Pending& pending, const Operation& access) {
    auto& list = pending[access.name];
    if (std::find(list.begin(), list.end(), &access) == list.end()) list.push_back(&access);
  }

  bool touches_in_out(const Operation& operation) const {
    if (operation.op != Op::load && !writes_memory(operation.op)) return false;
    const Argument* argument = kernel_.find_argument(operation.name);
    return argument != nullptr && argument->kind == Argument::Kind::in_out;
  }

  bool conflicts(const Operation& a, const Operation& b) const {
    if (!writes_memory(a.op) && !writes_memory(b.op)) return false;
    if (a.op == Op::atomic_add && b.op == Op::atomic_add) return false;
    return !(owns(a) && owns(b) && a.indices == b.indices && rows_of(a) == rows_of(b));
  }

  /// Whether each element is touched by one thread, the same one for every access with these
  /// indices: the tile spreads over all threads, and nothing carries it through shared memory.
  bool owns(const Operation& access) const {
    const ValueId value = access.op == Op::load ? access.results[0] : access.operands[0];
    const auto& axes = kernel_.type(value).axes;
    const bool spread =
        kernel_.layout.row_axis < 0 ? axes.size() == 1 : axes.size() == 2 && rows_of(access) >= 0;
    for (const ir::Index& index : access.indices)
      if (index.kind == IndexSpec::Kind::gather) return false;
    for (const ValueId operand : access.operands)
      if (kernel_.type(operand).kind == ir::Type::Kind::buffer) return false;
    return spread;
  }

  /// Of the tile an access moves: its dimension that runs over warps.
  ir::AxisId rows_of(const Operation& access) const {
    const ValueId value = access.op == Op::load ? access.results[0] : access.operands[0];
    return kernel_.values[static_cast<std::size_t>(value)].row_axis;
  }

  ir::Kernel& kernel_;
};

}  // namespace

void order_memory(ir::Kernel& kernel) { Orderer(kernel).run(); }

}  // namespace tilewright::passes
