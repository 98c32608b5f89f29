// Which tiles a loop visits, and which of those hide something, derived from its mask: no table of
// blocks is built, the bounds are expressions over extents, scalars and the block's own rows. The
// chain: mask_affine (tiles as k, q and quotients) -> mask_bounds (one inequality) -> mask_formula
// (zones of the mask and of its negation) -> zones (intervals of tiles) -> this pass.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "ir/ir.hpp"

namespace tilewright::passes {

/// Sets Operation::domain of every for_blocks. Symbols: extent(x), scalar(s), first(q) and last(q)
/// (rows of the block along dimension q inside its extent), value(17) (a uniform value; operations
/// of the mask region that such a name needs are moved in front of the loop), tile(x) while the
/// loop's tile is not chosen. Run it after tiles are chosen.
void analyze_masks(ir::Kernel& kernel);

/// The domain alone; the kernel stays as it is.
ir::Domain domain_of(ir::Kernel& kernel, const ir::Operation& loop);

struct BlockCounts {
  std::int64_t skipped = 0;
  std::int64_t full = 0;
  std::int64_t cut = 0;
};

/// Tiles of one loop by class, summed over all programs of the grid (each-dimensions and blocks of
/// rows), from the closed forms: no tile is looked at. `symbol` gives extent(x) of every dimension
/// and scalar(s); values that are not numbers of the grid are asked as value(17). The loop is
/// counted once per program, for a loop inside another one too. Needs chosen tiles and
/// analyze_masks.
BlockCounts count_blocks(const ir::Kernel& kernel, const ir::Operation& loop,
                         const std::function<std::int64_t(const std::string&)>& symbol);

/// The same with tiles of the caller's choice, for one program: rows `first_row … last_row`.
BlockCounts count_tiles(const ir::Domain& domain, std::int64_t tiles,
                        const std::function<std::int64_t(const std::string&)>& symbol);

}  // namespace tilewright::passes
