// Values cut up and put together: take, slice, split and concat, in registers and through shared
// memory, along columns and along rows.
#include <doctest/doctest.h>

#include <tilewright/dsl.hpp>

#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"row"> M;
constexpr Dim<"column"> N;
constexpr Dim<"d"> D;
constexpr Dim<"half"> H;
constexpr Dim<"e"> E;
constexpr Dim<"rest"> R;
constexpr Dim<"inner"> K;

double tolerance_of(DType dtype) { return dtype == f32 ? 1e-5 : dtype == f16 ? 4e-3 : 2e-2; }

/// Row `i` of x, [rows, width], turned by pairs (j, j + width / 2), or (2 j, 2 j + 1).
std::vector<double> turned(const Data& x, const Data& c, const Data& s, std::int64_t i,
                           bool pairs) {
  const std::int64_t width = x.extents[1], half = width / 2;
  std::vector<double> result(at(width));
  for (std::int64_t j = 0; j < half; ++j) {
    const std::int64_t a = pairs ? 2 * j : j, b = pairs ? 2 * j + 1 : j + half;
    const double cosine = c.numbers[at(i * half + j)], sine = s.numbers[at(i * half + j)];
    result[at(a)] = x.numbers[at(i * width + a)] * cosine - x.numbers[at(i * width + b)] * sine;
    result[at(b)] = x.numbers[at(i * width + b)] * cosine + x.numbers[at(i * width + a)] * sine;
  }
  return result;
}

template <DType type>
void rotates() {
  const auto halves = kernel("rope_concat", [](In<"x", type, M, D> X, In<"c", f32, M, H> C,
                                               In<"s", f32, M, H> S, Out<"y", type, M, D> Y) {
    auto m = blocks(M);
    auto x = let("x_tile", cast<f32>(load(X(m, D))));
    auto low = split(x, D, 2, H)[0], high = split(x, D, 2, H)[1];
    auto c = let("c_tile", load(C(m, H)));
    auto s = let("s_tile", load(S(m, H)));
    store(Y(m, D), concat(D, H, low * c - high * s, high * c + low * s));
  });
  const auto pairs = kernel("rope_take", [](In<"x", type, M, D> X, In<"c", f32, M, H> C,
                                            In<"s", f32, M, H> S, Out<"y", type, M, D> Y) {
    auto m = blocks(M);
    auto x = let("x_tile", cast<f32>(load(X(m, D))));
    auto c = take(load(C(m, H)), H, index(D) / 2), s = take(load(S(m, H)), H, index(D) / 2);
    auto other = take(x, D, index(D) ^ 1);
    store(Y(m, D), x * c + where(index(D) % 2 == 0, -other, other) * s);
  });
  for (const std::int64_t width : {6, 20, 30, 64, 128}) {
    const std::int64_t rows = width == 30 ? 65 : 17, half = width / 2;
    Data x{type, {rows, width}, noise(rows * width, 61)};
    Data c{f32, {rows, half}, noise(rows * half, 62)}, s{f32, {rows, half}, noise(rows * half, 63)};
    for (const bool interleaved : {false, true}) {
      Data y{type, {rows, width}, {}, {}, tolerance_of(type)};
      for (std::int64_t i = 0; i < rows; ++i)
        for (const double number : turned(x, c, s, i, interleaved)) y.expected.push_back(number);
      const Problem problem{
          {{"x", x}, {"c", c}, {"s", s}, {"y", y}}, {}, {{"d", width}, {"half", half}}};
      if (interleaved)
        check(pairs, problem);
      else
        check(halves, problem);
    }
  }
}

template <DType type>
void multiplies_rotated() {
  const auto scores =
      kernel("rope_scores", [](In<"q", type, M, D> Q, In<"k", type, N, D> K, In<"cq", f32, M, H> CQ,
                               In<"sq", f32, M, H> SQ, In<"ck", f32, N, H> CK,
                               In<"sk", f32, N, H> SK, Out<"s", f32, M, N> S) {
        auto m = blocks(M);
        const auto rotated = [&](auto low, auto high, auto c, auto s) {
          auto a = cast<f32>(low), b = cast<f32>(high);
          return cast<type>(concat(D, H, a * c - b * s, b * c + a * s));
        };
        auto q1 = let("q1", load(Q(m, split(D, 2, H)[0])));
        auto q2 = let("q2", load(Q(m, split(D, 2, H)[1])));
        auto cq = let("cq_tile", load(CQ(m, H))), sq = let("sq_tile", load(SQ(m, H)));
        auto q = let("q_turned", rotated(q1, q2, cq, sq));
        for_blocks(N, [&](auto n) {
          auto k1 = let("k1", load(K(n, split(D, 2, H)[0])));
          auto k2 = let("k2", load(K(n, split(D, 2, H)[1])));
          auto ck = let("ck_tile", load(CK(n, H))), sk = let("sk_tile", load(SK(n, H)));
          auto k = let("k_turned", rotated(k1, k2, ck, sk));
          store(S(m, n), dot(q, k, D));
        });
      });
  for (const std::int64_t width : {6, 20, 30, 64, 128}) {
    const std::int64_t rows = 33, columns = width == 64 ? 70 : 17, half = width / 2;
    Data q{type, {rows, width}, noise(rows * width, 64)};
    Data k{type, {columns, width}, noise(columns * width, 65)};
    Data cq{f32, {rows, half}, noise(rows * half, 66)}, sq = cq, ck{f32, {columns, half}}, sk;
    sq.numbers = noise(rows * half, 67);
    ck.numbers = noise(columns * half, 68);
    sk = ck;
    sk.numbers = noise(columns * half, 69);
    Data s{f32, {rows, columns}, {}, {}, tolerance_of(type)};
    std::vector<std::vector<double>> right;
    for (std::int64_t j = 0; j < columns; ++j) right.push_back(turned(k, ck, sk, j, false));
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::vector<double> left = turned(q, cq, sq, i, false);
      for (std::int64_t j = 0; j < columns; ++j) {
        double sum = 0;
        for (std::int64_t d = 0; d < width; ++d) sum += left[at(d)] * right[at(j)][at(d)];
        s.expected.push_back(sum);
      }
    }
    check(scores, {{{"q", q}, {"k", k}, {"cq", cq}, {"sq", sq}, {"ck", ck}, {"sk", sk}, {"s", s}},
                   {},
                   {{"d", width}, {"half", half}}});
  }
}

}  // namespace

TEST_CASE("rotary positions with one store, in both pairings") {
  rotates<f32>();
  rotates<bf16>();
  rotates<f16>();
}

TEST_CASE("rotated on both sides inside a product") {
  multiplies_rotated<bf16>();
  multiplies_rotated<f16>();
  multiplies_rotated<f32>();
}

TEST_CASE("take by an index from memory, per row and per element; outside is 0") {
  const auto picked =
      kernel("picked", [](In<"x", f32, M, D> X, In<"table", f32, D> A, In<"one", i32, M> I,
                          In<"each", i32, M, E> J, Out<"chosen", f32, M> C,
                          Out<"looked_up", f32, M, E> L, Out<"spread", f32, M, E> P) {
        auto m = blocks(M);
        auto x = let("x_tile", load(X(m, D)));
        auto j = let("j", load(J(m, E)));
        store(C(m), take(x, D, load(I(m))) * 2.f);
        store(L(m, E), take(load(A(D)), D, j));
        store(P(m, E), take(x, D, j) - take(x, D, 1));
      });
  for (const std::int64_t rows : odd_extents) {
    const std::int64_t width = 21, columns = 10;
    Data x{f32, {rows, width}, noise(rows * width, 70)}, table{f32, {width}, noise(width, 71)};
    Data one{i32, {rows}, integers(rows, -1, static_cast<int>(width), 72)};
    Data each{i32, {rows, columns}, integers(rows * columns, -2, 40, 73)};
    Data chosen{f32, {rows}}, looked_up{f32, {rows, columns}}, spread = looked_up;
    const auto of = [&](const Data& from, std::int64_t first, double place) {
      const auto i = static_cast<std::int64_t>(place);
      return i < 0 || i >= width ? 0 : from.numbers[at(first + i)];
    };
    for (std::int64_t i = 0; i < rows; ++i) {
      chosen.expected.push_back(2 * of(x, i * width, one.numbers[at(i)]));
      for (std::int64_t j = 0; j < columns; ++j) {
        const double place = each.numbers[at(i * columns + j)];
        looked_up.expected.push_back(of(table, 0, place));
        spread.expected.push_back(of(x, i * width, place) - x.numbers[at(i * width + 1)]);
      }
    }
    check(picked, {{{"x", x},
                    {"table", table},
                    {"one", one},
                    {"each", each},
                    {"chosen", chosen},
                    {"looked_up", looked_up},
                    {"spread", spread}},
                   {},
                   {{"d", width}, {"e", columns}}});
  }
}

TEST_CASE("take along the rows of a product, and along a block's own columns") {
  const auto swapped = kernel("swapped", [](In<"a", bf16, M, D> A, In<"b", bf16, N, D> Bs,
                                            Out<"c", f32, M, N> C, Out<"d_out", f32, M, N> S) {
    auto m = blocks(M);
    auto a = load(A(m, D));
    for_blocks(N, [&](auto n) {
      auto c = let("c_tile", dot(a, load(Bs(n, D)), D));
      store(C(m, n), take(c, M, index(M) ^ 1));
      store(S(m, n), take(c, N, (index(N) ^ 3)));
    });
  });
  const std::int64_t rows = 70, columns = 37, width = 32;
  Data a{bf16, {rows, width}, noise(rows * width, 74)};
  Data b{bf16, {columns, width}, noise(columns * width, 75)};
  Data c{f32, {rows, columns}, {}, {}, 1e-5}, s = c;
  const auto product = [&](std::int64_t i, std::int64_t j) {
    double sum = 0;
    for (std::int64_t d = 0; d < width && i < rows && j < columns; ++d)
      sum += a.numbers[at(i * width + d)] * b.numbers[at(j * width + d)];
    return sum;
  };
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) {
      c.expected.push_back(product(i ^ 1, j));
      s.expected.push_back(product(i, j ^ 3));
    }
  check(swapped, {{{"a", a}, {"b", b}, {"c", c}, {"d_out", s}}, {}, {{"d", width}}});
}

TEST_CASE("parts of different lengths: the first half turned, the rest as it was") {
  const auto partial = kernel("partial", [](In<"x", f32, M, D> X, Out<"y", f32, M, D> Y) {
    auto m = blocks(M);
    auto x = let("x_tile", load(X(m, D)));
    auto low = as<H>(slice(x, D, 0, 5)), high = as<H>(slice(x, D, 5, 5));
    auto rest = as<R>(slice(x, D, 10, 13));
    store(Y(m, D), concat(D, H, -high, low, R, rest));
  });
  for (const std::int64_t rows : odd_extents) {
    const std::int64_t width = 23;
    Data x{f32, {rows, width}, noise(rows * width, 76)}, y{f32, {rows, width}};
    for (std::int64_t i = 0; i < rows * width; ++i) {
      const std::int64_t d = i % width, row = i - d;
      y.expected.push_back(d < 5    ? -x.numbers[at(row + d + 5)]
                           : d < 10 ? x.numbers[at(row + d - 5)]
                                    : x.numbers[at(i)]);
    }
    check(partial, {{{"x", x}, {"y", y}}, {}, {{"d", width}}});
  }
}

namespace {

/// x [rows, width] moved along its columns by `by`, up and down; `in` makes the tile.
template <typename... Inputs, typename Tile>
auto moves_columns(int by, Tile tile) {
  return kernel("moved", [=](Inputs... in, Out<"up", f32, M, D> U, Out<"down", f32, M, D> L,
                             Out<"half_up", f32, M, H> P) {
    auto m = blocks(M);
    auto x = let("x_tile", tile(m, in...));
    store(U(m, D), take(x, D, index(D) + by));
    store(L(m, D), take(x, D, index(D) - by));
    store(P(m, H), take(x, D, index(H) + by));
  });
}

/// What must be in "up", "down" and "half_up".
void expect_moved(Problem& problem, const std::vector<double>& x, std::int64_t width, int by) {
  const std::int64_t rows = static_cast<std::int64_t>(x.size()) / width, half = width / 2;
  Data up{f32, {rows, width}}, down{f32, {rows, width}}, half_up{f32, {rows, half}};
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto source = [&](std::int64_t j) {
      return j < 0 || j >= width ? 0 : x[at(i * width + j)];
    };
    for (std::int64_t j = 0; j < width; ++j) {
      up.expected.push_back(source(j + by));
      down.expected.push_back(source(j - by));
      if (j < half) half_up.expected.push_back(source(j + by));
    }
  }
  problem.tensors["up"] = up;
  problem.tensors["down"] = down;
  problem.tensors["half_up"] = half_up;
  problem.bound = {{"d", width}, {"half", half}};
}

}  // namespace

TEST_CASE("columns moved by a number: what comes from outside is 0") {
  constexpr std::int64_t rows = 33;
  for (const int by : {3, 8, 16, 64, 128}) {
    const auto loaded =
        moves_columns<In<"x", f32, M, D>>(by, [](auto m, auto X) { return load(X(m, D)) + 0.f; });
    const auto product = moves_columns<In<"a", bf16, M, K>, In<"b", bf16, K, D>>(
        by, [](auto m, auto A, auto B) { return dot(load(A(m, K)), load(B(K, D)), K); });
    for (const std::int64_t width : {20, 64, 100, 260}) {
      Problem of_loaded{{{"x", {f32, {rows, width}, noise(rows * width, 71)}}}};
      expect_moved(of_loaded, of_loaded.tensors["x"].numbers, width, by);
      check(loaded, of_loaded);
      // Small integers: the product is exact.
      const Data a{bf16, {rows, 16}, integers(rows * 16, -3, 3, 72)};
      const Data b{bf16, {16, width}, integers(16 * width, -3, 3, 73)};
      std::vector<double> x;
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < width; ++j) {
          x.push_back(0);
          for (std::int64_t k = 0; k < 16; ++k)
            x.back() += a.numbers[at(i * 16 + k)] * b.numbers[at(k * width + j)];
        }
      Problem of_product{{{"a", a}, {"b", b}}};
      expect_moved(of_product, x, width, by);
      of_product.bound["inner"] = 16;
      check(product, of_product);
    }
  }
}
