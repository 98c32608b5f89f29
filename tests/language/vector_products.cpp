// Products that are no matrix products: a matrix and a vector from either side. And what generated
// C++ must not leave open: sums and products of i32 that leave 32 bits wrap, and a Var may become a
// shifted copy of itself.
#include <doctest/doctest.h>

#include <cstdint>
#include <tilewright/dsl.hpp>

#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"row"> M;
constexpr Dim<"column"> N;
constexpr Dim<"d"> D;

/// The 32 bits that stay.
std::int64_t wrapped(std::int64_t x) { return static_cast<std::int32_t>(x); }

template <DType T>
void products() {
  const auto vectors = kernel("vectors", [](In<"a", T, M, N> A, In<"x", T, N> X,
                                            Out<"right", f32, M> R, Out<"left", f32, M> L) {
    auto m = blocks(M);
    Var<f32, M> right{"right_sum", 0.f};
    Var<f32, M> left{"left_sum", 0.f};
    for_blocks(N, index(N) >= 2, [&](auto n) {  // what is hidden is no part of a product
      auto a = let("a_tile", load(A(m, n)));
      right = right + dot(a, load(X(n)), N);
      left = left + dot(load(X(n)), a, N) * 2.f;
    });
    store(R(m), right);
    store(L(m), left);
  });
  for (const std::int64_t rows : {1, 17, 65})
    for (const std::int64_t columns : odd_extents) {
      const Data a{T, {rows, columns}, noise(rows * columns, 61)},
          x{T, {columns}, noise(columns, 63)};
      Data right{f32, {rows}}, left{f32, {rows}};
      for (std::int64_t i = 0; i < rows; ++i) {
        double sum = 0;
        for (std::int64_t j = 2; j < columns; ++j)
          sum += a.numbers[at(i * columns + j)] * x.numbers[at(j)];
        right.expected.push_back(sum);
        left.expected.push_back(2 * sum);
      }
      right.tolerance = left.tolerance = 1e-5;
      check(vectors, {{{"a", a}, {"x", x}, {"right", right}, {"left", left}}});
    }
}

}  // namespace

TEST_CASE("a matrix and a vector") {
  products<f32>();
  products<bf16>();
  products<f16>();
}

TEST_CASE("sums and products of i32 wrap, and what is asked of them afterwards is asked of that") {
  const auto wraps =
      kernel("wraps", [](In<"x", i32, M, N> X, Out<"y", i32, M, N> Y, Out<"sum", i32, M> S) {
        auto m = blocks(M);
        Var<i32, M> sum{"total", 0};
        for_blocks(N, [&](auto n) {
          auto x = let("x_tile", load(X(m, n)));
          store(Y(m, n), (x * 1000003 + 2147483647 - x * 7) % 7);
          sum = sum + reduce_sum(x * x, N);
        });
        store(S(m), sum % 1000 - -sum);
      });
  for (const std::int64_t columns : odd_extents) {
    const std::int64_t rows = 17;
    const Data x{i32, {rows, columns}, integers(rows * columns, -2000000000, 2000000000, 64)};
    Data y{i32, {rows, columns}}, sum{i32, {rows}};
    for (std::int64_t i = 0; i < rows; ++i) {
      std::int64_t total = 0;
      for (std::int64_t j = 0; j < columns; ++j) {
        const auto n = static_cast<std::int64_t>(x.numbers[at(i * columns + j)]);
        const std::int64_t z = wrapped(wrapped(wrapped(n * 1000003) + 2147483647) - wrapped(n * 7));
        y.expected.push_back(static_cast<double>((z % 7 + 7) % 7));
        total = wrapped(total + wrapped(n * n));
      }
      sum.expected.push_back(
          static_cast<double>(wrapped((total % 1000 + 1000) % 1000 + wrapped(total))));
    }
    check(wraps, {{{"x", x}, {"y", y}, {"sum", sum}}});
  }
}

TEST_CASE("a Var becomes a shifted copy of itself, round after round") {
  const auto shifts = kernel(
      "shifts", [](In<"x", f32, M, D> X, Out<"y", f32, M, D> Y, Scalar<"rounds", i32> rounds) {
        auto m = blocks(M);
        Var<f32, M, D> state{"state", 0.f};
        state = load(X(m, D));
        for_range(rounds, [&](auto) { state = take(state, D, index(D) - 1) * 2.f; });
        store(Y(m, D), state);
      });
  for (const std::int64_t width : {1, 20, 64, 130})
    for (const int rounds : {0, 1, 3}) {
      const std::int64_t rows = 17;
      const Data x{f32, {rows, width}, noise(rows * width, 65)};
      Data y{f32, {rows, width}};
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < width; ++j)
          y.expected.push_back(j < rounds ? 0
                                          : x.numbers[at(i * width + j - rounds)] * (1 << rounds));
      check(shifts, {{{"x", x}, {"y", y}}, {{"rounds", rounds}}, {{"d", width}}});
    }
}
