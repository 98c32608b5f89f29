// Where the largest element stands: ties, NaN and -inf, rows without an element, masks, and the
// pair (largest, place) carried over the tiles of a loop.
#include <doctest/doctest.h>

#include <cmath>
#include <tilewright/dsl.hpp>

#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"batch"> B;
constexpr Dim<"row"> M;
constexpr Dim<"column"> N;
constexpr Dim<"d"> D;

/// Of `count` numbers those that `shown` admits; ties: the first, NaN: none, nothing: -1.
template <typename Shown>
double place_of(const double* x, std::int64_t count, const Shown& shown) {
  std::int64_t place = -1;
  for (std::int64_t i = 0; i < count; ++i)
    if (shown(i) && !std::isnan(x[i]) && (place < 0 || x[i] > x[place])) place = i;
  return static_cast<double>(place);
}

/// Few different numbers, so that most rows have ties; every fifth row has only -inf and NaN.
std::vector<double> with_ties(std::int64_t rows, std::int64_t columns, bool floating) {
  std::vector<double> x = integers(rows * columns, -3, 3, 61);
  for (std::int64_t i = 0; i < rows * columns && floating; ++i) {
    if (i / columns % 5 == 4) x[at(i)] = -INFINITY;
    if (i % 7 == 3 || (i / columns % 10 == 9)) x[at(i)] = NAN;
  }
  if (!floating)
    for (std::int64_t j = 0; j < columns; ++j) x[at((rows / 2) * columns + j)] = -2147483648.0;
  return x;
}

template <DType T>
void whole_rows() {
  const auto whole = kernel("whole", [](In<"x", T, M, D> X, Out<"place", i32, M> P) {
    auto m = blocks(M);
    store(P(m), reduce_argmax(load(X(m, D)), D));
  });
  for (const std::int64_t rows : odd_extents) {
    const std::int64_t columns = rows == 65 ? 333 : rows == 17 ? 1 : 65;
    Data x{T, {rows, columns}, with_ties(rows, columns, T != i32)}, place{i32, {rows}};
    for (std::int64_t i = 0; i < rows; ++i)
      place.expected.push_back(
          place_of(&x.numbers[at(i * columns)], columns, [](std::int64_t) { return true; }));
    check(whole, {{{"x", x}, {"place", place}}, {}, {{"d", columns}}});
  }
}

}  // namespace

TEST_CASE("of a whole row, in every type") {
  whole_rows<f32>();
  whole_rows<bf16>();
  whole_rows<f16>();
  whole_rows<i32>();
}

TEST_CASE("carried over a loop, with the largest, and of visible elements only") {
  const auto carried = kernel(
      "carried", [](In<"x", f32, M, N> X, Scalar<"window", i32> window, Out<"top", f32, M> Top,
                    Out<"place", i32, M> P, Out<"first", i32, M> First) {
        auto m = blocks(M);
        Var<f32, M> seen{"seen", -infinity};
        Var<i32, M> place{"place_seen", -1}, first{"first_seen", -1};
        auto apart = index(M) - index(N);
        for_blocks(N, apart >= 3 && apart < window, [&](auto n) {
          auto x = let("x_tile", load(X(m, n)));
          auto best = let("best", reduce_max(x, N));
          place = where(best > seen, reduce_argmax(x, N), place);
          seen = max(seen, best);
          // -inf is an element where it is visible, and none where it is hidden.
          auto low = let("low", where(apart < 1000000, -infinity, 0.f));
          first = where(first < 0, reduce_argmax(low, N), first);
        });
        store(Top(m), seen);
        store(P(m), place);
        store(First(m), first);
      });
  for (const std::int64_t rows : odd_extents)
    for (const double window : {9.0, 300.0}) {
      const std::int64_t columns = rows == 333 ? 65 : 333;
      Data x{f32, {rows, columns}, with_ties(rows, columns, true)};
      Data top{f32, {rows}}, place{i32, {rows}}, first{i32, {rows}};
      for (std::int64_t i = 0; i < rows; ++i) {
        const double* row = &x.numbers[at(i * columns)];
        const auto shown = [&](std::int64_t j) {
          return i - j >= 3 && static_cast<double>(i - j) < window;
        };
        const double largest = place_of(row, columns, shown);
        const double most = largest < 0 ? -INFINITY : row[static_cast<int>(largest)];
        top.expected.push_back(most);
        place.expected.push_back(most == -INFINITY ? -1 : largest);  // -inf is not above -inf
        const std::vector<double> zeros(at(columns), 0);
        first.expected.push_back(place_of(zeros.data(), columns, shown));
      }
      check(carried,
            {{{"x", x}, {"top", top}, {"place", place}, {"first", first}}, {{"window", window}}});
    }
}

TEST_CASE("a Var that is the place in the last tile, which the mask cuts") {
  const auto replaced = kernel("replaced", [](In<"x", f32, M, N> X, Out<"place", i32, M> P) {
    auto m = blocks(M);
    Var<i32, M> place{"place_here", 7};
    for_blocks(N, index(N) < 5 && index(N) < index(M), [&](auto n) {  // in any tiling the first
      place = reduce_argmax(load(X(m, n)), N);
    });
    store(P(m), place);
  });
  const std::int64_t rows = 65, columns = 333;
  Data x{f32, {rows, columns}, with_ties(rows, columns, true)}, place{i32, {rows}};
  for (std::int64_t i = 0; i < rows; ++i)
    place.expected.push_back(place_of(&x.numbers[at(i * columns)], columns,
                                      [&](std::int64_t j) { return j < 5 && j < i; }));
  check(replaced, {{{"x", x}, {"place", place}}});
}

TEST_CASE("of the rows of a product, under a mask") {
  const auto nearest = kernel(
      "nearest", [](In<"q", bf16, B, M, D> Q, In<"k", bf16, B, N, D> K, Out<"place", i32, B, M> P) {
        auto b = each(B);
        auto m = blocks(M);
        auto q = let("q_tile", load(Q(b, m, D)));
        Var<f32, M> seen{"seen", -infinity};
        Var<i32, M> place{"place_seen", -1};
        for_blocks(N, causal(M, N), [&](auto n) {
          auto s = let("s", dot(q, load(K(b, n, D)), D));
          auto best = let("best", reduce_max(s, N));
          auto here = let("here", reduce_argmax(s, N));
          place = where(best > seen, here, place);
          seen = max(seen, best);
        });
        store(P(b, m), place);
      });
  for (const auto& [rows, columns] : {std::pair{1, 1}, {17, 333}, {65, 65}, {130, 40}}) {
    const std::int64_t batch = 2, width = 20;
    Data q{bf16, {batch, rows, width}, integers(batch * rows * width, -1, 1, 62)};
    Data k{bf16, {batch, columns, width}, integers(batch * columns * width, -1, 1, 63)};
    Data place{i32, {batch, rows}};
    for (std::int64_t i = 0; i < batch * rows; ++i) {
      std::vector<double> scores;
      for (std::int64_t j = 0; j < columns; ++j) {
        double sum = 0;
        for (std::int64_t d = 0; d < width; ++d)
          sum += q.numbers[at(i * width + d)] * k.numbers[at((i / rows * columns + j) * width + d)];
        scores.push_back(sum);
      }
      const std::int64_t position = i % rows + columns - rows;
      place.expected.push_back(
          place_of(scores.data(), columns, [&](std::int64_t j) { return j <= position; }));
    }
    check(nearest, {{{"q", q}, {"k", k}, {"place", place}}, {}, {{"d", width}}});
  }
}

TEST_CASE("of one row over all lanes of a warp") {
  const auto single = kernel("single", [](In<"x", i32, B, N> X, Out<"place", i32, B> P) {
    auto b = each(B);
    Var<i32> seen{"seen", -2147483647 - 1}, place{"place_seen", -1};
    for_blocks(N, [&](auto n) {
      auto x = let("x_tile", load(X(b, n)));
      auto best = let("best", reduce_max(x, N));
      place = where(best > seen || place < 0, reduce_argmax(x, N), place);
      seen = max(seen, best);
    });
    store(P(b), place);
  });
  for (const std::int64_t columns : odd_extents) {
    const std::int64_t rows = 11;
    Data x{i32, {rows, columns}, with_ties(rows, columns, false)}, place{i32, {rows}};
    for (std::int64_t i = 0; i < rows; ++i)
      place.expected.push_back(
          place_of(&x.numbers[at(i * columns)], columns, [](std::int64_t) { return true; }));
    check(single, {{{"x", x}, {"place", place}}});
  }
}
