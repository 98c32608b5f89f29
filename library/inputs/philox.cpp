// See philox.hpp.
#include "inputs/philox.hpp"

#include <cmath>
#include <numbers>

namespace tilewright::inputs {

PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key) {
  constexpr int rounds = 10;
  for (int round = 0; round < rounds; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t second = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(second >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(second),
               static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(first)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

std::array<double, 4> normals(std::uint64_t seed, std::uint32_t stream, std::uint64_t group) {
  const PhiloxCounter bits = philox4x32(
      {static_cast<std::uint32_t>(group), static_cast<std::uint32_t>(group >> 32), stream, 0},
      {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  std::array<double, 4> values{};
  for (std::size_t pair = 0; pair < 4; pair += 2) {
    // The half keeps the logarithm's argument away from 0 and the angle from repeating at 1.
    const double radius = std::sqrt(-2.0 * std::log((bits[pair] + 0.5) * 0x1p-32));
    const double angle = 2.0 * std::numbers::pi * ((bits[pair + 1] + 0.5) * 0x1p-32);
    values[pair] = radius * std::cos(angle);
    values[pair + 1] = radius * std::sin(angle);
  }
  return values;
}

}  // namespace tilewright::inputs
