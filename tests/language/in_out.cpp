// Tensors that are read and written: the order of a program's statements holds, whichever threads
// make them, and stores under a mask leave hidden elements alone.
#include <doctest/doctest.h>

#include <tilewright/dsl.hpp>

#include "build.hpp"
#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"row"> M;
constexpr Dim<"column"> N;
constexpr Dim<"d"> D;

int barriers(const ir::Region& region) {
  int count = 0;
  for (const auto& op : region.operations) {
    count += op->op == Op::barrier;
    for (const auto& nested : op->regions) count += barriers(*nested);
  }
  return count;
}

}  // namespace

TEST_CASE("in place, element by element: no thread waits for another") {
  const auto twice = kernel("twice", [](InOut<"x", bf16, M, N> X) {
    auto m = blocks(M);
    auto n = blocks(N);
    auto x = let("x1", cast<f32>(load(X(m, n))));
    store(X(m, n), x * 2.f);
    auto again = let("x2", cast<f32>(load(X(m, n))));
    store(X(m, n), again + x);
  });
  CHECK(barriers(make_program(twice, "sm_80", {}).aligned.scheduled.body) == 0);
  for (const std::int64_t rows : odd_extents)
    for (const std::int64_t columns : {std::int64_t{17}, std::int64_t{333}}) {
      Data x{bf16, {rows, columns}, noise(rows * columns, 3)};
      for (const double number : x.numbers) x.expected.push_back(3 * number);
      x.tolerance = 0.008;
      check(twice, {{{"x", x}}});
    }
}

TEST_CASE("a row's number, held by many lanes, is written, read and written again") {
  // Prefix sums of rows: each turn reads what the turn before wrote.
  const auto running =
      kernel("running", [](In<"x", f32, M, N> X, InOut<"total", f32, M> T, Out<"first", f32, M> F) {
        auto m = blocks(M);
        store(F(m), load(T(m)));
        for_blocks(N, [&](auto n) { store(T(m), load(T(m)) + reduce_sum(load(X(m, n)), N)); });
      });
  CHECK(barriers(make_program(running, "sm_80", {}).aligned.scheduled.body) > 0);
  for (const std::int64_t rows : odd_extents) {
    const std::int64_t columns = 333;
    Data x{f32, {rows, columns}, noise(rows * columns, 5)};
    Data total{f32, {rows}, noise(rows, 6)}, first{f32, {rows}};
    for (std::int64_t i = 0; i < rows; ++i) {
      double sum = total.numbers[at(i)];
      first.expected.push_back(sum);
      for (std::int64_t j = 0; j < columns; ++j) sum += x.numbers[at(i * columns + j)];
      total.expected.push_back(sum);
    }
    total.tolerance = 1e-5;
    check(running, {{{"x", x}, {"total", total}, {"first", first}}});
  }
}

TEST_CASE("loads do not merge across a write, and do without one") {
  const auto count_loads = [](const ir::Region& region) {
    int count = 0;
    for (const auto& op : region.operations) count += op->op == Op::load;
    return count;
  };
  const auto between = build(kernel("between", [](InOut<"x", f32, M> X, Out<"y", f32, M> Y) {
    auto m = blocks(M);
    auto before = let("before", load(X(m)));
    store(X(m), before + 1.f);
    store(Y(m), load(X(m)) + before);
  }));
  CHECK(count_loads(between.body) == 2);
  const auto none = build(kernel("none", [](InOut<"x", f32, M> X) {
    auto m = blocks(M);
    store(X(m), load(X(m)) * load(X(m)));
  }));
  CHECK(count_loads(none.body) == 1);
}

TEST_CASE("a scalar that a loop rewrites") {
  const auto powers = kernel("powers", [](InOut<"x", i32, M> X, In<"count", i32, M> C) {
    auto m = each(M);
    for_range(load(C(m)), [&](auto) { store(X(m), load(X(m)) * 3); });
  });
  Data x{i32, {4}, {1, -2, 5, 7}, {81, -2, 5 * 3, 7 * 9}};
  check(powers, {{{"x", x}, {"count", {i32, {4}, {4, 0, 1, 2}}}}});
}

TEST_CASE("a store under a mask writes visible elements only, in one loop and in two") {
  const auto lower = kernel("lower", [](In<"x", f32, M, N> X, InOut<"y", f32, M, N> Y) {
    auto m = blocks(M);
    for_blocks(N, index(M) >= index(N), [&](auto n) { store(Y(m, n), load(X(m, n))); });
  });
  const auto both = kernel("both", [](In<"x", f32, M, N> X, InOut<"y", f32, M, N> Y) {
    for_blocks(M, index(M) % 3 == 0, [&](auto m) {
      for_blocks(N, index(N) % 2 == 1, [&](auto n) { store(Y(m, n), load(X(m, n))); });
    });
  });
  for (const std::int64_t rows : odd_extents) {
    const std::int64_t columns = rows == 333 ? 17 : 333;
    Data x{f32, {rows, columns}, noise(rows * columns, 8)};
    Data y{f32, {rows, columns}, noise(rows * columns, 9)}, z = y;
    for (std::int64_t i = 0; i < rows * columns; ++i) {
      const std::int64_t r = i / columns, c = i % columns;
      y.expected.push_back(r >= c ? x.numbers[at(i)] : y.numbers[at(i)]);
      z.expected.push_back(r % 3 == 0 && c % 2 == 1 ? x.numbers[at(i)] : z.numbers[at(i)]);
    }
    check(lower, {{{"x", x}, {"y", y}}});
    if (rows < 65) check(both, {{{"x", x}, {"y", z}}});
  }
}

TEST_CASE("what an InOut may not do") {
  const auto error_of = [](const KernelSource& source) -> std::string {
    try {
      make_program(source, "sm_80", {.extents = {{"d", 16}}});
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(error_of(kernel("masked", [](InOut<"x", i32, N> X, Out<"y", i32, N, D> Y) {
          for_blocks(
              N, [&](auto n) { return load(X(n)) > 0; },
              [&](auto n) { store(Y(n, D), index(N) + index(D)); });
        })).find("a load of an InOut inside a mask") != std::string::npos);
  // A product takes it, by way of registers: nothing is copied ahead of a store.
  CHECK(error_of(kernel("product", [](In<"a", bf16, M, D> A, InOut<"b", bf16, N, D> B,
                                      Out<"c", f32, M, N> C) {
          auto m = blocks(M);
          auto a = load(A(m, D));
          for_blocks(N, [&](auto n) { store(C(m, n), dot(a, load(B(n, D)), D)); });
        })).empty());
}
