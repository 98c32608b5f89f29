// Branches that all threads of a block take together.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <tilewright/dsl.hpp>

#include "build.hpp"
#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"batch"> B;
constexpr Dim<"row"> M;
constexpr Dim<"column"> N;

}  // namespace

TEST_CASE("Vars merge, stores happen or do not, branches nest, in loops and out of them") {
  const auto steps = kernel("steps", [](In<"x", f32, B, M, N> X, In<"kind", i32, B> K,
                                        InOut<"y", f32, B, M> Y, Out<"turns", i32, B, M> T) {
    auto b = each(B);
    auto m = blocks(M);
    auto kind = let("kind_of_b", load(K(b)));
    Var<f32, M> sum{"sum", 0.f};
    Var<i32> turns{"turns_so_far", 0};
    for_blocks(N, [&](auto n) {
      when(kind > 0, [&] {
        auto part = let("part", reduce_sum(load(X(b, m, n)), N));
        when(kind == 2, [&] { sum = sum - part * 3.f; });
        sum = sum + part;
        turns = turns + 1;
      });
    });
    when(kind != 1 && kind < 3, [&] {
      sum = sum * 2.f;
      store(Y(b, m), sum + load(Y(b, m)));
    });
    when(kind == 1, [&] { store(Y(b, m), sum); });
    store(T(b, m), where(turns > 0, 1, 0) + index(M));
  });
  for (const std::int64_t rows : odd_extents) {
    const std::int64_t batch = 4, columns = rows == 1 ? 333 : 65;
    Data x{f32, {batch, rows, columns}, noise(batch * rows * columns, 11)};
    Data kind{i32, {batch}, {0, 1, 2, 3}};
    Data y{f32, {batch, rows}, noise(batch * rows, 12)}, turns{i32, {batch, rows}};
    for (std::int64_t i = 0; i < batch * rows; ++i) {
      const std::int64_t k = i / rows;
      double part = 0;
      for (std::int64_t j = 0; j < columns; ++j) part += x.numbers[at(i * columns + j)];
      const double sum = k == 0 ? 0 : k == 2 ? -2 * part : part;
      turns.expected.push_back(static_cast<double>((k > 0) + i % rows));
      y.expected.push_back(k == 1 ? sum : k == 3 ? y.numbers[at(i)] : 2 * sum + y.numbers[at(i)]);
    }
    y.tolerance = 1e-5;
    check(steps, {{{"x", x}, {"kind", kind}, {"y", y}, {"turns", turns}}});
  }
}

TEST_CASE("a condition computed from tiles, and one on a scalar of the launch") {
  const auto clip =
      kernel("clip", [](In<"x", f32, B, N> X, Out<"y", f32, B, N> Y, Scalar<"on", i32> on) {
        auto b = each(B);
        Var<f32> top{"top", -infinity};
        for_blocks(N, [&](auto n) { top = max(top, reduce_max(load(X(b, n)), N)); });
        Var<f32> factor{"factor", 1.f};
        when(top > 0.5f && on != 0, [&] { factor = 0.5f / top; });
        for_blocks(N, [&](auto n) { store(Y(b, n), load(X(b, n)) * factor); });
      });
  for (const double on : {0.0, 1.0})
    for (const std::int64_t columns : odd_extents) {
      const std::int64_t batch = 7;
      Data x{f32, {batch, columns}, noise(batch * columns, 13)}, y{f32, {batch, columns}};
      for (std::int64_t i = 0; i < batch; ++i) {
        const auto row = x.numbers.begin() + i * columns;
        const double top = *std::max_element(row, row + columns);
        for (std::int64_t j = 0; j < columns; ++j)
          y.expected.push_back(row[j] * (top > 0.5 && on != 0 ? 0.5 / top : 1));
      }
      y.tolerance = 1e-6;
      check(clip, {{{"x", x}, {"y", y}}, {{"on", on}}});
    }
}

TEST_CASE("a value made inside ends there, and the error names both lines") {
  int opened = 0, made = 0;
  std::string message;
  try {
    build(kernel("escapes", [&](In<"x", f32, M> X, Out<"y", f32, M> Y) {
      auto m = blocks(M);
      std::optional<Value<Tile<f32, Dim<"row">>>> inside;
      opened = __LINE__ + 1;
      when(extent(M) > 3, [&] {
        made = __LINE__ + 1;
        inside = let("inside", load(X(m)) * 2.f);
      });
      store(Y(m), *inside);
    }));
  } catch (const Error& error) {
    message = error.what();
  }
  const auto line = [](int number) { return "language/when.cpp:" + std::to_string(number); };
  CHECK(message.find("'inside', made at " + line(made) + " inside the when at " + line(opened) +
                     ", is used outside of it") != std::string::npos);
}
