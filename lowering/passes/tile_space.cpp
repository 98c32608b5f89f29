// See tile_space.hpp.
#include "passes/tile_space.hpp"

#include "ir/flattened.hpp"

namespace tilewright::passes {

namespace {

using ir::IntExpr;

Linear named(const std::string& function, const std::string& of) {
  return Linear(IntExpr::symbol(function + "(" + of + ")"));
}

}  // namespace

Linear extent_of(const ir::Kernel& kernel, const std::string& dim) {
  Linear extent = 1;
  for (const std::string& part : ir::parts_of(dim)) {
    const auto bound = kernel.bound.find(part);
    extent = product(extent,
                     bound == kernel.bound.end() ? named("extent", part) : Linear(bound->second));
  }
  return extent;
}

TileSpace space_of(const ir::Kernel& kernel, const ir::Operation& loop, ir::AxisId rows) {
  const ir::Axis& axis = kernel.axes[static_cast<std::size_t>(loop.axis)];
  TileSpace space;
  space.extent = extent_of(kernel, axis.dim);
  space.width = axis.tile > 0 ? Linear(axis.tile) : named("tile", axis.dim);
  space.tile = named("block", axis.dim);
  if (rows >= 0) {
    const ir::Axis& row = kernel.axes[static_cast<std::size_t>(rows)];
    if (row.kind == ir::Axis::Kind::whole) {
      space.last_row = extent_of(kernel, row.dim) - 1;
    } else {
      space.first_row = named("first", row.dim);
      space.last_row = named("last", row.dim);
      space.facts.rows(row.dim);
      // A bound extent is a number: what the rows say of the name, they say of it.
      const auto parts = ir::parts_of(row.dim);
      if (kernel.bound.contains(row.dim) || parts.size() > 1)
        space.facts.not_negative(extent_of(kernel, row.dim) - 1 - space.last_row);
      // The first part of a pair inside both extents is inside its own.
      Linear faster = 1;
      for (std::size_t i = parts.size(); i-- > 1;)
        faster = product(extent_of(kernel, parts[i]), faster);
      if (parts.size() > 1)
        space.facts.not_negative(extent_of(kernel, parts[0]) - 1 -
                                 floor_quotient(space.last_row, faster));
    }
  }
  for (const auto& operation : kernel.body.operations)
    if (operation->op == Op::each)
      space.facts.inside("value(" + std::to_string(operation->results[0]) + ")", operation->name);
  return space;
}

}  // namespace tilewright::passes
