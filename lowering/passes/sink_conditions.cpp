// Code sinking, for the conditions of cut tiles: a table that a mask reads is loaded where the mask
// can hide something, and nowhere else. An operation stays where it stands, for its order among
// stores and barriers; a full tile passes over it.
//
// Comes last: no pass has to know of it, and what earlier passes left shared is seen as shared.
#include "ir/cut_tiles.hpp"
#include "passes/passes.hpp"
#include "passes/rewrite.hpp"

namespace tilewright::passes {
namespace {

void sink(const ir::Kernel& kernel, ir::Region& region, const std::vector<int>& uses, bool tiles) {
  for (std::size_t i = region.operations.size(); i-- > 0;) {
    ir::Operation& operation = *region.operations[i];
    for (auto& inner : operation.regions)
      sink(kernel, *inner, uses,
           operation.op == Op::for_blocks ? inner == operation.regions.back() : tiles);
    if (!tiles || !ir::may_sink(kernel, operation)) continue;
    const ValueId value = operation.results[0];
    int reads = 0;
    for (std::size_t later = i + 1; later < region.operations.size(); ++later)
      reads += ir::reads_in_cut_tiles(kernel, *region.operations[later], value);
    operation.sunk = reads > 0 && reads == uses[static_cast<std::size_t>(value)];
  }
}

}  // namespace

void sink_conditions(ir::Kernel& kernel) {
  sink(kernel, kernel.body, ir::use_counts(kernel), false);
}

}  // namespace tilewright::passes
