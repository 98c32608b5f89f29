// Philox against its authors' published vectors, and the normal numbers against their moments.
#include "inputs/philox.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace {

using namespace tilewright::inputs;

constexpr std::uint32_t ones = 0xffffffffu;

}  // namespace

TEST_CASE("the known answers of philox4x32-10") {
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) ==
        PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({ones, ones, ones, ones}, {ones, ones}) ==
        PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("normal numbers have a normal's moments and are independent between streams") {
  constexpr int groups = 50000;
  double sum = 0, squares = 0, fourths = 0, product = 0;
  for (int i = 0; i < groups; ++i) {
    const auto x = normals(0, 0, i);
    const auto y = normals(0, 1, i);
    for (int j = 0; j < 4; ++j) {
      sum += x[j];
      squares += x[j] * x[j];
      fourths += std::pow(x[j], 4);
      product += x[j] * y[j];
    }
  }
  constexpr double n = 4.0 * groups;
  CHECK(std::abs(sum / n) < 0.01);
  CHECK(std::abs(squares / n - 1) < 0.02);
  CHECK(std::abs(fourths / n - 3) < 0.15);
  CHECK(std::abs(product / n) < 0.01);
}

TEST_CASE("numbers depend on the seed's and the group's upper halves too") {
  CHECK(normals(1, 0, 0) != normals(1 + (std::uint64_t{1} << 32), 0, 0));
  CHECK(normals(1, 0, 0) != normals(1, 0, std::uint64_t{1} << 32));
  CHECK(normals(1, 0, 5) == normals(1, 0, 5));
}
