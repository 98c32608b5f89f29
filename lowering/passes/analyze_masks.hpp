// Which tiles a loop visits, and which of those hide something, derived from its mask: no table of
// blocks is built, the bounds are expressions over extents, scalars and the block's own rows. The
// chain: mask_affine (tiles as k, q and quotients) -> mask_bounds (one inequality) -> mask_formula
// (zones of the mask and of its negation) -> zones (intervals of tiles; what bounds alone do not
// settle goes by eliminate_rows and row_periods) -> this pass.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/interpret.hpp"

namespace tilewright::passes {

/// Sets Operation::domain of every for_blocks. Symbols: extent(x), scalar(s), first(q) and last(q)
/// (rows of the block along dimension q inside its extent), value(17) (a uniform value; operations
/// of the mask region that such a name needs are moved in front of the loop), block(kv) in
/// conditions, tile(x) while the loop's tile is not chosen. Of a table that bounds each row the
/// extremes over the block's rows are computed in front of the loop. Run it after tiles are chosen.
void analyze_masks(ir::Kernel& kernel);

using BlockCounts = ir::TileCounts;

/// Tiles of one loop by class, summed over all programs of the grid (each-dimensions and blocks of
/// rows), from the closed forms: no element is looked at, a tile only where a bound has a
/// condition. `symbol` gives extent(x) of every dimension and scalar(s); values that are not
/// numbers of the grid are asked as value(17). The loop is counted once per program, for a loop
/// inside another one too. Needs chosen tiles and analyze_masks.
BlockCounts count_blocks(const ir::Kernel& kernel, const ir::Operation& loop,
                         const std::function<std::int64_t(const std::string&)>& symbol);

/// The same from what a launch gives; values that the bounds need are computed from the tables.
/// Extents of all dimensions must be given, and what `arguments_of_domain` says.
BlockCounts count_blocks(const ir::Kernel& kernel, const ir::Operation& loop, ir::Inputs& inputs);

/// Scalars and tensors that the loop's bounds are made from.
std::set<std::string> arguments_of_domain(const ir::Kernel& kernel, const ir::Operation& loop);

/// Every tile of the loop by class, [tiles of rows, tiles of the loop], for one number of each
/// each-dimension (`program`, by dimension; 0 where missing). A grid without blocks of rows has one
/// row of tiles.
std::vector<ir::TileClass> tile_classes(const ir::Kernel& kernel, const ir::Operation& loop,
                                        ir::Inputs& inputs,
                                        const std::map<std::string, std::int64_t>& program);

}  // namespace tilewright::passes
