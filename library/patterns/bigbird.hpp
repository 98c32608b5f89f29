// BigBird (Zaheer et al. 2020, arXiv 2007.14062), in its internal transformer construction: a band
// of blocks, the first and last block for everyone, and random blocks.
#pragma once

#include <cstdint>
#include <span>
#include <tilewright/library/blocks.hpp>
#include <vector>

namespace tilewright::library {

struct BigBird {
  std::int64_t seqlen = 0;  ///< rows and keys; the last block may be ragged
  std::int64_t heads = 1;   ///< each has random blocks of its own
  int block = 64;           ///< rows and keys of a block: a multiple of 16 up to 512
  int random_blocks = 3;    ///< for each block of rows but the first and the last

  std::int64_t blocks() const { return (seqlen + block - 1) / block; }
  /// With fewer blocks there is nothing to leave out: all are visited.
  bool is_dense() const { return blocks() < 5 + random_blocks; }
};

/// Blocks [heads, blocks - 2, random_blocks]: of head h and block of rows 1 + i, drawn without
/// replacement from those that the row does not have anyway; row 1 also leaves out the last but
/// one, row blocks - 2 the second, as the paper's code does. Empty for a dense pattern. Throws
/// Error naming the field.
std::vector<std::int32_t> bigbird_random_blocks(const BigBird& pattern, std::uint64_t seed);

/// The union of a row's blocks, each once: rows 0 and blocks - 1 have all of them; row 1 has 0, 1,
/// 2, the last; row blocks - 2 its mirror image; row i has 0, i - 1, i, i + 1, the last; and each
/// its random ones. `random`: as bigbird_random_blocks makes it, or any other; blocks that a row
/// has already count once. Throws Error naming the field, "random" where it has another size or
/// names a block that is not there.
BlockMask bigbird(const BigBird& pattern, std::span<const std::int32_t> random);

}  // namespace tilewright::library
