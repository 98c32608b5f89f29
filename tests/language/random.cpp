// Random numbers by logical index, against a Philox of the test's own that is held to the published
// known answers (Random123's kat_vectors): the same bits on every schedule and in the interpreter.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <tilewright/dsl.hpp>

#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"batch"> B;
constexpr Dim<"row"> M;
constexpr Dim<"column"> N;

using Words = std::array<std::uint32_t, 4>;

/// Philox4x32-10 (Salmon et al., SC 2011, section 3.2).
Words philox(Words x, std::uint32_t k0, std::uint32_t k1) {
  for (std::uint32_t round = 0; round < 10; ++round) {
    const auto product = [](std::uint32_t a, std::uint32_t b) {
      return static_cast<std::uint64_t>(a) * b;
    };
    const std::uint64_t p0 = product(x[0], 0xD2511F53), p1 = product(x[2], 0xCD9E8D57);
    const std::uint32_t w0 = round * 0x9E3779B9u + k0, w1 = round * 0xBB67AE85u + k1;
    x = {static_cast<std::uint32_t>(p1 >> 32) ^ x[1] ^ w0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ x[3] ^ w1, static_cast<std::uint32_t>(p0)};
  }
  return x;
}

std::uint32_t bits(std::uint32_t seed, std::uint32_t high, std::uint32_t offset,
                   std::uint32_t stream) {
  return philox({offset / 4, 0, stream, 0}, seed, high)[offset % 4];
}

double unit(std::uint32_t word) { return (word >> 8) * 0x1p-24; }

}  // namespace

TEST_CASE("the test's own Philox gives the published answers") {
  CHECK(philox({0, 0, 0, 0}, 0, 0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, ones, ones) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("bits of every offset, seed and stream, bit for bit") {
  const auto draw = kernel(
      "draw", [](In<"offset", i32, M, N> Offset, In<"stream", i32, M> Stream,
                 Scalar<"low", i32> low, Scalar<"high", i32> high, Out<"plain", i32, M, N> Plain,
                 Out<"keyed", i32, M, N> Keyed, Out<"real", f32, M, N> Real) {
        auto m = blocks(M);
        for_blocks(N, [&](auto n) {
          auto offset = let("offset_tile", load(Offset(m, n)));
          store(Plain(m, n), random_bits(low, offset));
          store(Keyed(m, n), random_bits(seed64(low, high), offset, load(Stream(m))));
          store(Real(m, n), random(low, index(M) * extent(N) + index(N)));
        });
      });
  for (const std::int64_t rows : odd_extents) {
    const std::int64_t columns = rows == 65 ? 333 : 17;
    Data offset{i32, {rows, columns}, integers(rows * columns, -100000, 100000, 71)};
    Data stream{i32, {rows}, integers(rows, -5, 1 << 20, 72)};
    for (int i = 0; i < 4 && i < columns; ++i) offset.numbers[at(i)] = i;
    if (columns > 5) offset.numbers[4] = -1, offset.numbers[5] = -2147483648.0;
    Data plain{i32, {rows, columns}}, keyed = plain, real{f32, {rows, columns}};
    for (const auto& [low, high] : {std::pair{0, 0}, {-1, -1}, {123456789, 7}}) {
      plain.expected.clear(), keyed.expected.clear(), real.expected.clear();
      for (std::int64_t i = 0; i < rows * columns; ++i) {
        const auto word = [](double x) {
          return static_cast<std::uint32_t>(static_cast<std::int64_t>(x));
        };
        const std::uint32_t o = word(offset.numbers[at(i)]), k0 = word(low), k1 = word(high);
        plain.expected.push_back(static_cast<std::int32_t>(bits(k0, 0, o, 0)));
        keyed.expected.push_back(
            static_cast<std::int32_t>(bits(k0, k1, o, word(stream.numbers[at(i / columns)]))));
        real.expected.push_back(unit(bits(k0, 0, static_cast<std::uint32_t>(i), 0)));
      }
      if (low == 0)
        CHECK(static_cast<std::uint32_t>(static_cast<std::int64_t>(plain.expected[0])) ==
              0x6627e8d5);
      check(draw, {{{"offset", offset},
                    {"stream", stream},
                    {"plain", plain},
                    {"keyed", keyed},
                    {"real", real}},
                   {{"low", low}, {"high", high}}});
    }
  }
}

TEST_CASE("dropout keeps its fraction, and keeps the same elements on every schedule") {
  const auto dropout =
      kernel("dropout", [](In<"x", f32, B, M, N> X, Scalar<"p", f32> p, Scalar<"seed", i32> seed,
                           Out<"y", f32, B, M, N> Y, Out<"kept", f32, B, M> Kept) {
        auto b = each(B);
        auto m = blocks(M);
        Var<f32, M> kept{"kept_so_far", 0.f};
        for_blocks(N, [&](auto n) {
          auto x = let("x_tile", load(X(b, m, n)));
          auto keep = random(seed, index(N), b * extent(M) + index(M)) >= p;
          store(Y(b, m, n), where(keep, x / (1.f - p), 0.f));
          kept = kept + reduce_sum(where(keep, 1.f, 0.f * x), N);
        });
        store(Kept(b, m), kept);
      });
  const std::int64_t batch = 2, rows = 65, columns = 333;
  Data x{f32, {batch, rows, columns}, noise(batch * rows * columns, 73)};
  for (const double p : {0.0, 0.25, 0.5}) {
    Data y{f32, x.extents}, kept{f32, {batch, rows}};
    double total = 0;
    for (std::int64_t i = 0; i < batch * rows; ++i) {
      double of_row = 0;
      for (std::int64_t j = 0; j < columns; ++j) {
        const bool keep =
            unit(bits(42, 0, static_cast<std::uint32_t>(j), static_cast<std::uint32_t>(i))) >= p;
        of_row += keep;
        y.expected.push_back(keep ? x.numbers[at(i * columns + j)] / (1 - p) : 0);
      }
      total += of_row;
      kept.expected.push_back(of_row);
    }
    const double count = static_cast<double>(batch * rows * columns);
    CHECK(std::abs(total - count * (1 - p)) <= 5 * std::sqrt(count * p * (1 - p)));
    y.tolerance = p == 0 ? 0 : 1e-6;
    for (const int warps : {0, 1, 8})
      for (const int tile : {0, 2}) {
        if (tile != 0 && warps != 1) continue;
        Problem problem{{{"x", x}, {"y", y}, {"kept", kept}}, {{"p", p}, {"seed", 42}}};
        problem.schedule.warps = warps;
        if (tile != 0) problem.schedule.tile["row"] = tile;
        check(dropout, problem);
      }
  }
}
