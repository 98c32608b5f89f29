// Tiles of indices: each element of the tile picks one along an axis of the tensor. An index
// outside the axis loads 0 and stores nothing.
#include <doctest/doctest.h>

#include <tilewright/dsl.hpp>

#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"batch"> B;
constexpr Dim<"row"> M;
constexpr Dim<"column"> N;
constexpr Dim<"d"> D;
constexpr Dim<"v"> V;
constexpr Dim<"page"> P;
constexpr Dim<"slot"> S;

template <DType T>
void table_rows() {
  const auto embed =
      kernel("embed", [](In<"word", i32, M> W, In<"table", T, V, D> E, Out<"y", T, M, D> Y) {
        auto m = blocks(M);
        store(Y(m, D), load(E(load(W(m)), D)));
      });
  for (const std::int64_t rows : odd_extents)
    for (const std::int64_t width : {std::int64_t{7}, std::int64_t{64}}) {
      const std::int64_t words = 9;
      Data word{i32, {rows}, integers(rows, -2, 10, 21)};
      Data table{T, {words, width}, noise(words * width, 22)}, y{T, {rows, width}};
      for (std::int64_t i = 0; i < rows * width; ++i) {
        const auto w = static_cast<std::int64_t>(word.numbers[at(i / width)]);
        y.expected.push_back(w < 0 || w >= words ? 0 : table.numbers[at(w * width + i % width)]);
      }
      check(embed, {{{"word", word}, {"table", table}, {"y", y}}, {}, {{"d", width}}});
    }
}

}  // namespace

TEST_CASE("rows of a table, by number") {
  table_rows<f32>();
  table_rows<bf16>();
  table_rows<f16>();
}

TEST_CASE("computed indices along the columns, along two axes at once, and of both dimensions") {
  const auto mixed =
      kernel("mixed", [](In<"x", f32, M, N> X, In<"pick", i32, M> I, Out<"reversed", f32, M, N> R,
                         Out<"diagonal", f32, M> G, Out<"shifted", f32, M, N> Z) {
        auto m = blocks(M);
        store(G(m), load(X(m, load(I(m)))));
        for_blocks(N, [&](auto n) {
          store(R(m, n), load(X(m, extent(N) - 1 - index(N))));
          store(Z(m, n), load(X(extent(M) - 1 - index(M), (index(N) + index(M)) % extent(N))));
        });
      });
  for (const std::int64_t rows : odd_extents) {
    const std::int64_t columns = rows == 333 ? 15 : 333;
    Data x{f32, {rows, columns}, noise(rows * columns, 23)};
    Data pick{i32, {rows}, integers(rows, -1, static_cast<int>(columns), 24)};
    Data reversed{f32, {rows, columns}}, shifted = reversed, diagonal{f32, {rows}};
    for (std::int64_t i = 0; i < rows; ++i) {
      const auto p = static_cast<std::int64_t>(pick.numbers[at(i)]);
      diagonal.expected.push_back(p < 0 || p >= columns ? 0 : x.numbers[at(i * columns + p)]);
      for (std::int64_t j = 0; j < columns; ++j) {
        reversed.expected.push_back(x.numbers[at(i * columns + columns - 1 - j)]);
        shifted.expected.push_back(x.numbers[at((rows - 1 - i) * columns + (i + j) % columns)]);
      }
    }
    check(mixed, {{{"x", x},
                   {"pick", pick},
                   {"reversed", reversed},
                   {"diagonal", diagonal},
                   {"shifted", shifted}}});
  }
}

TEST_CASE("scatter: elements go where their indices say, those outside nowhere") {
  const auto spread =
      kernel("spread", [](In<"x", f32, M, D> X, In<"to", i32, M> I, InOut<"y", f32, V, D> Y) {
        auto m = blocks(M);
        store(Y(load(I(m)), D), load(X(m, D)));
      });
  for (const std::int64_t rows : odd_extents) {
    const std::int64_t width = 10, places = 2 * rows;
    Data x{f32, {rows, width}, noise(rows * width, 25)}, to{i32, {rows}};
    Data y{f32, {places, width}, noise(places * width, 26)};
    y.expected = y.numbers;
    for (std::int64_t i = 0; i < rows; ++i) {  // each place once; every fifth row nowhere
      const std::int64_t place = i % 5 == 4 ? (i % 2 ? -1 : places) : (7 * i + 3) % rows * 2 + 1;
      to.numbers.push_back(static_cast<double>(place));
      if (place < 0 || place >= places) continue;
      for (std::int64_t j = 0; j < width; ++j)
        y.expected[at(place * width + j)] = x.numbers[at(i * width + j)];
    }
    if (rows % 7 == 0) continue;  // 7 i mod rows would meet one place twice
    check(spread, {{{"x", x}, {"to", to}, {"y", y}}, {}, {{"d", width}}});
  }
}

TEST_CASE("pages named by a table, as many as it says") {
  // [page] of 16 slots each; the table's rows are as long as the longest, `count` says how many
  // hold.
  const auto paged = kernel("paged", [](In<"x", f32, P, S, D> X, In<"table", i32, B, N> T,
                                        In<"count", i32, B> C, Out<"y", f32, B, D> Y) {
    auto b = each(B);
    Var<f32, D> sum{"sum", 0.f};
    for_range(load(C(b)), [&](auto i) {
      auto page = let("page_of_i", load(T(b, i)));
      sum = sum + reduce_sum(load(X(page, S, D)), S);
    });
    store(Y(b, D), sum);
  });
  const std::int64_t batch = 5, pages = 6, slots = 4, width = 33, longest = 9;
  Data x{f32, {pages, slots, width}, noise(pages * slots * width, 27)};
  Data table{i32, {batch, longest}, integers(batch * longest, 0, static_cast<int>(pages) - 1, 28)};
  Data count{i32, {batch}, {0, 1, 9, 4, 2}}, y{f32, {batch, width}};
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t d = 0; d < width; ++d) {
      double sum = 0;
      for (std::int64_t i = 0; i < static_cast<std::int64_t>(count.numbers[at(b)]); ++i)
        for (std::int64_t s = 0; s < slots; ++s) {
          const auto page = static_cast<std::int64_t>(table.numbers[at(b * longest + i)]);
          sum += x.numbers[at((page * slots + s) * width + d)];
        }
      y.expected.push_back(sum);
    }
  y.tolerance = 1e-6;
  check(paged, {{{"x", x}, {"table", table}, {"count", count}, {"y", y}},
                {},
                {{"slot", slots}, {"d", width}}});
}

TEST_CASE("a gathered tile feeds the tensor cores from registers") {
  const auto picked =
      kernel("picked", [](In<"a", bf16, V, D> A, In<"row_of", i32, M> I, In<"b", bf16, N, D> Bs,
                          Out<"c", f32, M, N> C, Scalar<"scale", f32> scale) {
        auto m = blocks(M);
        auto a = let("rows", load(A(load(I(m)), D)));
        for_blocks(N, [&](auto n) { store(C(m, n), dot(a, load(Bs(n, D)), D) * scale); });
      });
  const std::int64_t words = 11, rows = 37, columns = 65, width = 48;
  Data a{bf16, {words, width}, noise(words * width, 29)};
  Data row_of{i32, {rows}, integers(rows, -1, static_cast<int>(words), 30)};
  Data b{bf16, {columns, width}, noise(columns * width, 31)}, c{f32, {rows, columns}};
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    const auto r = static_cast<std::int64_t>(row_of.numbers[at(i / columns)]);
    double sum = 0;
    for (std::int64_t d = 0; d < width && r >= 0 && r < words; ++d)
      sum += a.numbers[at(r * width + d)] * b.numbers[at(i % columns * width + d)];
    c.expected.push_back(-0.5 * sum);
  }
  c.tolerance = 1e-5;
  check(picked,
        {{{"a", a}, {"row_of", row_of}, {"b", b}, {"c", c}}, {{"scale", -0.5}}, {{"d", width}}});
}
