// See random_blocks.hpp.
#include "patterns/random_blocks.hpp"

#include <cmath>
#include <tilewright/error.hpp>

#include "attention/block_checks.hpp"
#include "attention/blocks_errors.hpp"
#include "inputs/philox.hpp"

namespace tilewright::library {

BlockMask random_blocks(const BlockMaskShape& shape, double density, std::uint64_t seed) {
  if (!(density >= 0 && density <= 1))
    throw Error(errors::blocks["random-blocks-invalid"], "density is no share of the tiles",
                {"density", std::to_string(density), "0 to 1", ""});
  std::vector<std::uint8_t> visited;
  visited.reserve(static_cast<std::size_t>(check(shape)));
  const double below = std::ldexp(density, 32);
  for (std::int64_t list = 0; list < shape.batch * shape.heads; ++list)
    for (std::int64_t row = 0; row < shape.rows; ++row)
      for (std::int64_t column = 0; column < shape.columns; ++column) {
        const auto drawn = inputs::philox4x32(
            {static_cast<std::uint32_t>(column), static_cast<std::uint32_t>(row),
             static_cast<std::uint32_t>(list), 0},
            {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
        visited.push_back(static_cast<double>(drawn[0]) < below);
      }
  return BlockMask::from_dense(shape, visited);
}

}  // namespace tilewright::library
