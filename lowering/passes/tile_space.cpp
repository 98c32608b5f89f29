// See tile_space.hpp.
#include "passes/tile_space.hpp"

namespace tilewright::passes {

namespace {

using ir::IntExpr;

Linear named(const std::string& function, const std::string& of) {
  return Linear(IntExpr::symbol(function + "(" + of + ")"));
}

Linear extent_of(const ir::Kernel& kernel, const std::string& dim) {
  const auto bound = kernel.bound.find(dim);
  return bound == kernel.bound.end() ? named("extent", dim) : Linear(bound->second);
}

}  // namespace

TileSpace space_of(const ir::Kernel& kernel, const ir::Operation& loop, ir::AxisId rows) {
  const ir::Axis& axis = kernel.axes[static_cast<std::size_t>(loop.axis)];
  TileSpace space;
  space.extent = extent_of(kernel, axis.dim);
  space.width = axis.tile > 0 ? Linear(axis.tile) : named("tile", axis.dim);
  if (rows >= 0) {
    const ir::Axis& row = kernel.axes[static_cast<std::size_t>(rows)];
    if (row.kind == ir::Axis::Kind::whole) {
      space.last_row = extent_of(kernel, row.dim) - 1;
    } else {
      space.first_row = named("first", row.dim);
      space.last_row = named("last", row.dim);
      space.facts.rows(row.dim);
      // A bound extent is a number: what the rows say of the name, they say of it.
      if (kernel.bound.contains(row.dim))
        space.facts.not_negative(extent_of(kernel, row.dim) - 1 - space.last_row);
    }
  }
  for (const auto& operation : kernel.body.operations)
    if (operation->op == Op::each)
      space.facts.inside("value(" + std::to_string(operation->results[0]) + ")", operation->name);
  return space;
}

}  // namespace tilewright::passes
