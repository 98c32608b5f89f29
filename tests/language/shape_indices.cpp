// Indices that cut, stride and rename: slices and parts of a dimension, blocks seen with a step, a
// block by two names, tiles with their neighbours. Where a view leaves its tensor it reads 0 and
// writes nothing.
#include <doctest/doctest.h>

#include <cmath>
#include <tilewright/dsl.hpp>

#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"row"> M;
constexpr Dim<"column"> N;
constexpr Dim<"d"> D;
constexpr Dim<"e"> E;
constexpr Dim<"t"> T;
constexpr Dim<"near"> W;

/// To the bits that `type` keeps, ties to even.
double rounded(double x, DType type) {
  if (type == f32 || x == 0) return x;
  int exponent = 0;
  const double scale = std::ldexp(1.0, type == f16 ? 11 : 8);
  const double mantissa = std::frexp(x, &exponent);
  return std::ldexp(std::nearbyint(mantissa * scale) / scale, exponent);
}

}  // namespace

TEST_CASE("sums over a window: what lies before the tensor or behind it is hidden") {
  const auto windowed = kernel("windowed", [](In<"x", f32, M> X, Out<"sum", f32, M> S,
                                              Out<"count", f32, M> C, Out<"most", f32, M> T) {
    auto m = blocks(M);
    auto x = let("x_near", load(X(as<W>(halo(m, 3, 5)))));
    auto apart = index(W) - index(M);
    auto near = apart >= -3 && apart <= 5;
    store(S(m), reduce_sum(where(near, x, 0.f), W));
    store(C(m), reduce_sum(where(near, x * 0.f + 1.f, 0.f), W));
    store(T(m), reduce_max(where(near, x - 8.f, -infinity), W));
  });
  for (const std::int64_t rows : odd_extents) {
    Data x{f32, {rows}, noise(rows, 44)};
    Data sum{f32, {rows}}, count{f32, {rows}}, most{f32, {rows}};
    sum.tolerance = 1e-6;
    for (std::int64_t i = 0; i < rows; ++i) {
      double total = 0, largest = -INFINITY;
      int seen = 0;
      for (std::int64_t j = std::max<std::int64_t>(0, i - 3); j <= std::min(rows - 1, i + 5); ++j) {
        total += x.numbers[at(j)];
        largest = std::max(largest, x.numbers[at(j)] - 8);
        ++seen;
      }
      sum.expected.push_back(total);
      count.expected.push_back(seen);
      most.expected.push_back(largest);
    }
    check(windowed, {{{"x", x}, {"sum", sum}, {"count", count}, {"most", most}}});
  }
}

namespace {

/// The tile is the program's own, or one after another in a loop, whose copies run ahead.
enum class Tiles { of_the_grid, of_a_loop };

template <DType type>
void attends_nearby(std::int64_t before, std::int64_t after, Tiles tiles) {
  const auto nearby =
      kernel("nearby", [=](In<"q", type, M, D> Q, In<"k", type, M, D> K, In<"v", type, M, E> V,
                           Out<"o", f32, M, E> O, Out<"most", f32, M> L) {
        const auto one_tile = [&](auto m) {
          auto w = as<W>(halo(m, static_cast<int>(before), static_cast<int>(after)));
          auto s = let("s", dot(load(Q(m, D)), load(K(w, D)), D));
          auto apart = index(W) - index(M);
          auto near = apart >= static_cast<int>(-before) && apart <= static_cast<int>(after);
          auto p = let("p", where(near, s + 1.f, 0.f));
          store(L(m), reduce_max(where(near, s - 64.f, -infinity), W));
          store(O(m, E), dot(cast<type>(p), load(V(w, E)), W));
        };
        if (tiles == Tiles::of_the_grid) {
          one_tile(blocks(M));
        } else {
          for_blocks(M, one_tile);
        }
      });
  for (const std::int64_t rows : {1, 15, 65, 200}) {
    const std::int64_t width = rows == 65 ? 20 : 48, columns = 24;
    Data q{type, {rows, width}, noise(rows * width, 45)};
    Data k{type, {rows, width}, noise(rows * width, 46)};
    Data v{type, {rows, columns}, noise(rows * columns, 47)};
    Data o{f32, {rows, columns}}, most{f32, {rows}};
    o.tolerance = 1e-5;
    most.tolerance = 1e-6;
    for (std::int64_t i = 0; i < rows; ++i) {
      std::vector<double> sum(at(columns), 0);
      double largest = -INFINITY;
      for (std::int64_t j = std::max<std::int64_t>(0, i - before);
           j <= std::min(rows - 1, i + after); ++j) {
        double s = 0;
        for (std::int64_t d = 0; d < width; ++d)
          s += q.numbers[at(i * width + d)] * k.numbers[at(j * width + d)];
        largest = std::max(largest, s - 64);
        for (std::int64_t e = 0; e < columns; ++e)
          sum[at(e)] += rounded(s + 1, type) * v.numbers[at(j * columns + e)];
      }
      most.expected.push_back(largest);
      o.expected.insert(o.expected.end(), sum.begin(), sum.end());
    }
    check(nearby, {{{"q", q}, {"k", k}, {"v", v}, {"o", o}, {"most", most}},
                   {},
                   {{"d", width}, {"e", columns}}});
  }
}

}  // namespace

TEST_CASE("a tile against its neighbourhood, on tensor cores") {
  for (const Tiles tiles : {Tiles::of_the_grid, Tiles::of_a_loop}) {
    attends_nearby<bf16>(8, 8, tiles);
    attends_nearby<f16>(5, 0, tiles);
    attends_nearby<f32>(0, 3, tiles);
  }
}

TEST_CASE("a block against itself, by another name") {
  const auto squares = kernel("squares", [](In<"k", bf16, M, D> K, In<"x", f32, M> X,
                                            Out<"norm", f32, M> S, Out<"square", f32, M> Y) {
    auto m = blocks(M);
    auto s = let("s", dot(load(K(m, D)), load(K(as<N>(m), D)), D));
    store(S(m), reduce_sum(where(index(N) == index(M), s, 0.f), N));
    store(Y(m), load(X(m)) * load(X(m)));
  });
  const auto outer = kernel("outer", [](In<"x", f32, M> X, Out<"square", f32, M> Y) {
    auto m = blocks(M);
    auto xx = load(X(m)) * load(X(as<N>(m)));
    store(Y(m), reduce_sum(where(index(N) == index(M), xx, 0.f), N));
  });
  for (const std::int64_t rows : odd_extents) {
    const std::int64_t width = 40;
    Data k{bf16, {rows, width}, noise(rows * width, 48)}, x{f32, {rows}, noise(rows, 49)};
    Data norm{f32, {rows}}, square{f32, {rows}};
    norm.tolerance = 1e-5;
    for (std::int64_t i = 0; i < rows; ++i) {
      double sum = 0;
      for (std::int64_t d = 0; d < width; ++d)
        sum += k.numbers[at(i * width + d)] * k.numbers[at(i * width + d)];
      norm.expected.push_back(sum);
      square.expected.push_back(x.numbers[at(i)] * x.numbers[at(i)]);
    }
    check(squares, {{{"k", k}, {"x", x}, {"norm", norm}, {"square", square}}, {}, {{"d", width}}});
    check(outer, {{{"x", x}, {"square", square}}});
  }
}

TEST_CASE("products of a tensor's own columns: a whole dimension by another name") {
  const auto gram = kernel("gram", [](In<"x", bf16, M, D> X, Out<"g", f32, D, N> G) {
    Var<f32, D, N> sum{"sum", 0.f};
    for_blocks(M, [&](auto m) { sum = sum + dot(load(X(m, D)), load(X(m, as<N>(D))), M); });
    store(G(D, N), sum);
  });
  for (const std::int64_t rows : {1, 65, 200}) {
    const std::int64_t width = 24;
    Data x{bf16, {rows, width}, noise(rows * width, 50)}, g{f32, {width, width}};
    g.tolerance = 1e-5;
    for (std::int64_t a = 0; a < width; ++a)
      for (std::int64_t b = 0; b < width; ++b) {
        double sum = 0;
        for (std::int64_t i = 0; i < rows; ++i)
          sum += x.numbers[at(i * width + a)] * x.numbers[at(i * width + b)];
        g.expected.push_back(sum);
      }
    check(gram, {{{"x", x}, {"g", g}}, {}, {{"d", width}, {"column", width}}});
  }
}

TEST_CASE("a block with a step: every second row, every third column from -1 on") {
  const auto strided = kernel("strided", [](In<"x", f32, T, E> X, Out<"odd", f32, N> Y,
                                            InOut<"even", f32, T> Z, Out<"third", f32, N, M> U) {
    for_blocks(N, [&](auto n) {
      auto x = let("x_odd", load(X(n * 2 + 1, 0)));
      store(Y(n), x);
      store(Z(n * 2), x + 1.f);
      for_blocks(M, [&](auto m) { store(U(n, m), load(X(n * 2 + 1, m * 3 - 1))); });
    });
  });
  for (const std::int64_t length : {1, 2, 33, 130, 333})
    for (const std::int64_t extra : {0, 1}) {
      const std::int64_t halves = length / 2 + extra, width = 20, thirds = 8;
      if (halves == 0) continue;
      Data x{f32, {length, width}, noise(length * width, 51)}, odd{f32, {halves}};
      Data even{f32, {length}, noise(length, 52)}, third{f32, {halves, thirds}};
      even.expected = even.numbers;
      for (std::int64_t i = 0; i < halves; ++i) {
        const bool inside = 2 * i + 1 < length;
        odd.expected.push_back(inside ? x.numbers[at((2 * i + 1) * width)] : 0);
        if (2 * i < length) even.expected[at(2 * i)] = odd.expected.back() + 1;
        for (std::int64_t j = 0; j < thirds; ++j) {
          const std::int64_t column = 3 * j - 1;
          third.expected.push_back(inside && column >= 0 && column < width
                                       ? x.numbers[at((2 * i + 1) * width + column)]
                                       : 0);
        }
      }
      check(strided, {{{"x", x}, {"odd", odd}, {"even", even}, {"third", third}}});
    }
}

namespace {

template <DType type>
void multiplies_slices() {
  for (const auto& [low, count] : {std::pair(8, 16), std::pair(16, 48), std::pair(3, 16),
                                   std::pair(0, 13), std::pair(24, 7)}) {
    const int lo = low, n_elements = count;
    const auto sliced =
        kernel("sliced", [=](In<"q", type, M, D> Q, In<"k", type, T, D> K, Out<"s", f32, M, N> S) {
          auto m = blocks(M);
          auto q = load(Q(m, slice(D, lo, n_elements)));
          for_blocks(N, [&](auto n) {
            store(S(m, n), dot(q, load(K(n * 2 + 1, slice(D, lo, n_elements))), D));
          });
        });
    const std::int64_t rows = 37, columns = 70, length = 141, width = 64;
    Data q{type, {rows, width}, noise(rows * width, 53)};
    Data k{type, {length, width}, noise(length * width, 54)}, s{f32, {rows, columns}};
    s.tolerance = 1e-5;
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j) {
        double sum = 0;
        for (std::int64_t d = lo; d < lo + n_elements; ++d)
          sum += q.numbers[at(i * width + d)] * k.numbers[at((2 * j + 1) * width + d)];
        s.expected.push_back(sum);
      }
    check(sliced, {{{"q", q}, {"k", k}, {"s", s}}, {}, {{"d", width}}});
  }
}

}  // namespace

TEST_CASE("slices of the contracted dimension, aligned or not, against every second row") {
  multiplies_slices<bf16>();
  multiplies_slices<f32>();
}
