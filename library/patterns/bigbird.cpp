// See bigbird.hpp.
#include "patterns/bigbird.hpp"

#include <algorithm>
#include <tilewright/error.hpp>

#include "attention/block_checks.hpp"
#include "attention/blocks_errors.hpp"
#include "inputs/philox.hpp"

namespace tilewright::library {
namespace {

BlockMaskShape shape_of(const BigBird& pattern) {
  check_block_size("block", pattern.block);
  if (pattern.random_blocks < 0)
    throw Error(errors::blocks["random-blocks-invalid"], "the number of random blocks is negative",
                {"random_blocks", std::to_string(pattern.random_blocks), "0 or more", ""});
  const BlockMaskShape shape{.heads = pattern.heads,
                             .rows = pattern.blocks(),
                             .columns = pattern.blocks(),
                             .block_q = pattern.block,
                             .block_kv = pattern.block};
  check(shape);
  return shape;
}

/// Without the random ones; `row` is neither the first nor the last.
std::vector<std::int32_t> fixed_blocks(std::int64_t row, std::int64_t blocks) {
  std::vector<std::int64_t> found = {0, row - 1, row, row + 1, blocks - 1};
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return {found.begin(), found.end()};
}

std::int64_t random_count(const BigBird& pattern) {
  return pattern.is_dense() ? 0 : pattern.heads * (pattern.blocks() - 2) * pattern.random_blocks;
}

}  // namespace

std::vector<std::int32_t> bigbird_random_blocks(const BigBird& pattern, std::uint64_t seed) {
  shape_of(pattern);
  std::vector<std::int32_t> random;
  if (pattern.is_dense()) return random;
  const std::int64_t blocks = pattern.blocks();
  for (std::int64_t head = 0; head < pattern.heads; ++head)
    for (std::int64_t row = 1; row + 1 < blocks; ++row) {
      std::vector<std::int32_t> taken = fixed_blocks(row, blocks);
      if (row == 1) taken.push_back(static_cast<std::int32_t>(blocks - 2));
      if (row == blocks - 2) taken.push_back(1);
      std::vector<std::int32_t> left;
      for (std::int32_t block = 0; block < blocks; ++block)
        if (std::find(taken.begin(), taken.end(), block) == taken.end()) left.push_back(block);
      // The first of a shuffle, one number for each draw.
      for (int draw = 0; draw < pattern.random_blocks; ++draw) {
        const auto first = static_cast<std::size_t>(draw);
        const std::uint64_t number = inputs::philox4x32(
            {static_cast<std::uint32_t>(draw), static_cast<std::uint32_t>(row),
             static_cast<std::uint32_t>(head), 1},
            {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)})[0];
        const std::size_t picked =
            first + static_cast<std::size_t>(number * (left.size() - first) >> 32);
        std::swap(left[first], left[picked]);
        random.push_back(left[first]);
      }
    }
  return random;
}

BlockMask bigbird(const BigBird& pattern, std::span<const std::int32_t> random) {
  const BlockMaskShape shape = shape_of(pattern);
  const std::int64_t blocks = shape.rows;
  if (static_cast<std::int64_t>(random.size()) != random_count(pattern))
    throw Error(
        errors::blocks["random-blocks-invalid"],
        "the table of random blocks has another size than the pattern",
        {"random", std::to_string(random.size()), std::to_string(random_count(pattern)), ""});
  for (const std::int32_t block : random)
    if (block < 0 || block >= blocks)
      throw Error(errors::blocks["random-blocks-invalid"],
                  "the table of random blocks names one that is not there",
                  {"random", std::to_string(block), "0 to " + std::to_string(blocks - 1), ""});
  std::vector<std::uint8_t> visited(static_cast<std::size_t>(shape.heads * blocks * blocks),
                                    pattern.is_dense());
  for (std::int64_t head = 0; head < shape.heads && !pattern.is_dense(); ++head)
    for (std::int64_t row = 0; row < blocks; ++row) {
      const auto at = visited.begin() + (head * blocks + row) * blocks;
      if (row == 0 || row == blocks - 1) {
        std::fill(at, at + blocks, std::uint8_t{1});
        continue;
      }
      for (const std::int32_t block : fixed_blocks(row, blocks)) at[block] = 1;
      const std::int64_t first = (head * (blocks - 2) + row - 1) * pattern.random_blocks;
      for (std::int64_t i = first; i < first + pattern.random_blocks; ++i)
        at[random[static_cast<std::size_t>(i)]] = 1;
    }
  return BlockMask::from_dense(shape, visited);
}

}  // namespace tilewright::library
