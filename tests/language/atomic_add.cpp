// Additions to memory that many programs and many elements share.
#include <doctest/doctest.h>

#include <tilewright/dsl.hpp>

#include "kernels/histogram.hpp"
#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"row"> M;
constexpr Dim<"column"> N;

}  // namespace

TEST_CASE("columns of all rows add into one row, rows into one number: visible elements only") {
  const auto by_element =
      kernel("by_element", [](In<"x", f32, M, N> X, InOut<"sum", f32, N> S,
                              InOut<"seen", i32, M, N> C, InOut<"rows", f32, M> R) {
        auto m = blocks(M);
        for_blocks(N, index(M) >= index(N), [&](auto n) {
          auto x = let("x_tile", load(X(m, n)));
          atomic_add(S(index(N) + 0 * index(M)), x);
          atomic_add(C(m, n), 2);
          atomic_add(R(m), reduce_sum(x, N));
        });
      });
  const Program program = make_program(by_element, "sm_80", {});
  CHECK(program.order_dependent().size() == 2);
  CHECK(program.order_dependent()[0].find("atomic_add(sum) at language/atomic_add.cpp:") == 0);
  CHECK(program.cuda_source().find("// Not bit-stable: atomic_add(sum)") != std::string::npos);
  for (const std::int64_t rows : odd_extents) {
    const std::int64_t columns = rows == 333 ? 65 : 333;
    Data x{f32, {rows, columns}, noise(rows * columns, 41)};
    Data sum{f32, {columns}, noise(columns, 42)}, each_row{f32, {rows}, noise(rows, 43)};
    Data seen{i32, {rows, columns}, integers(rows * columns, -5, 5, 44)};
    sum.expected = sum.numbers;
    each_row.expected = each_row.numbers;
    for (std::int64_t i = 0; i < rows * columns; ++i) {
      const std::int64_t r = i / columns, c = i % columns;
      seen.expected.push_back(seen.numbers[at(i)] + (r >= c ? 2 : 0));
      if (r < c) continue;
      sum.expected[at(c)] += x.numbers[at(i)];
      each_row.expected[at(r)] += x.numbers[at(i)];
    }
    sum.tolerance = each_row.tolerance = 1e-5;
    check(by_element, {{{"x", x}, {"sum", sum}, {"seen", seen}, {"rows", each_row}}});
  }
}

TEST_CASE("a histogram: values outside the bins count nowhere; i32 sums are bit-stable") {
  CHECK(make_program(histogram(), "sm_80", {}).order_dependent().empty());
  for (const std::int64_t length : {1, 15, 16, 17, 65, 333, 5000}) {
    const std::int64_t bins = 13;
    Data x{i32, {length}, integers(length, -3, 15, 45)};
    Data count{i32, {bins}, integers(bins, 0, 3, 46)};
    count.expected = count.numbers;
    for (const double value : x.numbers)
      if (value >= 0 && value < static_cast<double>(bins))
        ++count.expected[at(static_cast<std::int64_t>(value))];
    check(histogram(), {{{"x", x}, {"count", count}}});
  }
}

TEST_CASE("i32 wraps") {
  const auto wrap = kernel("wrap", [](InOut<"x", i32, N> X) {
    auto n = blocks(N);
    atomic_add(X(n), 2147483647);
  });
  check(wrap, {{{"x", {i32, {3}, {1, 0, -1}, {-2147483648.0, 2147483647, 2147483646}}}}});
}

TEST_CASE("the program reads its own additions back") {
  const auto back = kernel("back", [](InOut<"x", i32, M> X, Out<"y", i32, M> Y) {
    auto m = each(M);
    atomic_add(X(m), 5);
    store(Y(m), load(X(m)) * 2);
  });
  check(back, {{{"x", {i32, {2}, {1, 10}, {6, 15}}}, {"y", {i32, {2}, {}, {12, 30}}}}});
}
