// Tiles drawn at random: the pattern that block-sparse attention is measured with (FlashAttention,
// Dao et al. 2022, arXiv 2205.14135, section 3.3).
#pragma once

#include <cstdint>
#include <tilewright/library/blocks.hpp>

namespace tilewright::library {

/// Each tile of each list with probability `density`. Whether a tile is visited depends on the seed
/// and on its list, row and column, and on nothing else: a longer sequence has the tiles of a
/// shorter one. Throws Error{invalid_argument} for a density outside 0 … 1.
BlockMask random_blocks(const BlockMaskShape& shape, double density, std::uint64_t seed);

}  // namespace tilewright::library
