// Tiles of sizes that do not fill the threads that hold them: what lies past a tile belongs to the
// next one, and is counted once.
#include <doctest/doctest.h>

#include <tilewright/dsl.hpp>

#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"row"> M;
constexpr Dim<"column"> N;

}  // namespace

TEST_CASE("rows and columns in tiles of any size") {
  const auto sums = [](int tile) {
    return kernel("sums",
                  [tile](In<"x", f32, M, N> X, Out<"row_sum", f32, M> R, Out<"place", i32, M> P,
                         InOut<"column_sum", f32, N> C, InOut<"all", i32, M, N> A) {
                    auto m = blocks(M, tile);
                    Var<f32, M> sum{"sum", 0.f};
                    Var<i32, M> place{"place_so_far", -1};
                    for_blocks(N, [&](auto n) {
                      auto x = let("x_tile", load(X(m, n)));
                      sum = sum + reduce_sum(x, N);
                      place = max(place, reduce_argmax(cast<f32>(index(N)) + 0.f * x, N));
                      atomic_add(C(n), reduce_sum(x, M));
                      atomic_add(A(m, n), iota(M) + 0 * index(N));
                    });
                    store(R(m), sum);
                    store(P(m), place);
                  });
  };
  for (const int tile : {1, 3, 10, 11, 16})
    for (const int width : {0, 40, 100, 128})
      for (const std::int64_t rows : {std::int64_t{1}, std::int64_t{33}}) {
        CAPTURE(tile);
        CAPTURE(width);
        const std::int64_t columns = rows == 1 ? 300 : 250;
        Data x{f32, {rows, columns}, integers(rows * columns, -9, 9, 111)};
        Data row_sum{f32, {rows}}, place{i32, {rows}}, column_sum{f32, {columns}};
        Data all{i32, {rows, columns}, integers(rows * columns, -9, 9, 112)};
        column_sum.numbers = integers(columns, -9, 9, 113);
        column_sum.expected = column_sum.numbers;
        all.expected = all.numbers;
        row_sum.expected.assign(at(rows), 0);
        place.expected.assign(at(rows), static_cast<double>(columns - 1));
        for (std::int64_t i = 0; i < rows * columns; ++i) {
          row_sum.expected[at(i / columns)] += x.numbers[at(i)];
          column_sum.expected[at(i % columns)] += x.numbers[at(i)];
          all.expected[at(i)] += static_cast<double>(i / columns % tile);
        }
        Problem problem{{{"x", x},
                         {"row_sum", row_sum},
                         {"place", place},
                         {"column_sum", column_sum},
                         {"all", all}}};
        if (width != 0) problem.schedule.tile["column"] = width;
        check(sums(tile), problem);
      }
}

TEST_CASE("one dimension in tiles of any size") {
  for (const int tile : {1, 7, 64, 100, 128, 1000}) {
    CAPTURE(tile);
    const auto single =
        kernel("single", [tile](In<"x", i32, N> X, InOut<"y", i32, N> Y, InOut<"sum", i32, M> S) {
          auto n = blocks(N, tile);
          auto x = let("x_tile", load(X(n)));
          atomic_add(Y(n), x * 10 + iota(N));
          atomic_add(S(0), reduce_sum(x, N));
        });
    for (const std::int64_t count : odd_extents) {
      Data x{i32, {count}, integers(count, -9, 9, 114)},
          y{i32, {count}, integers(count, -9, 9, 115)};
      Data sum{i32, {1}, {5}, {5}};
      y.expected = y.numbers;
      for (std::int64_t i = 0; i < count; ++i) {
        y.expected[at(i)] += 10 * x.numbers[at(i)] + static_cast<double>(i % tile);
        sum.expected[0] += x.numbers[at(i)];
      }
      check(single, {{{"x", x}, {"y", y}, {"sum", sum}}});
    }
  }
}
