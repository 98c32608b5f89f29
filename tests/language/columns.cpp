// Reductions down the columns of a tile, whose rows are spread over warps: gradients of layer
// norm's weights, sums and largest elements over whole batches, weights that each key of a product
// gets. Any number of warps, odd sizes, rows that a mask or the end of the tensor hides.
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

Problem with_warps(Problem problem, int warps) {
  problem.schedule.warps = warps;
  return problem;
}

/// Ba, Kiros, Hinton 2016 (arXiv 1607.06450), differentiated: dx, and the sums over all rows that
/// are the gradients of the gain and the bias.
template <DType T>
auto layer_norm_gradient() {
  return kernel("layer_norm_gradient",
                [](In<"x", T, M, D> X, In<"dy", T, M, D> DY, In<"gain", f32, D> G,
                   Scalar<"epsilon", f32> epsilon, Out<"dx", T, M, D> DX, InOut<"dgain", f32, D> DG,
                   InOut<"dbias", f32, D> DB) {
                  auto m = blocks(M);
                  auto x = let("x_tile", cast<f32>(load(X(m, D))));
                  auto dy = let("dy_tile", cast<f32>(load(DY(m, D))));
                  auto width = cast<f32>(extent(D));
                  auto apart = let("apart", x - reduce_sum(x, D) / width);
                  auto scale = let("scale", rsqrt(reduce_sum(apart * apart, D) / width + epsilon));
                  auto unit = let("unit", apart * scale);
                  auto weighed = let("weighed", dy * load(G(D)));
                  auto mean = let("mean", reduce_sum(weighed, D) / width);
                  auto along = let("along", reduce_sum(weighed * unit, D) / width);
                  store(DX(m, D), (weighed - mean - unit * along) * scale);
                  atomic_add(DG(D), reduce_sum(dy * unit, M));
                  atomic_add(DB(D), reduce_sum(dy, M));
                });
}

template <DType T>
void gradients(double tolerance) {
  for (const std::int64_t rows : odd_extents) {
    const std::int64_t columns = rows == 65 ? 333 : rows == 16 ? 1 : 65;
    Data x{T, {rows, columns}, noise(rows * columns, 91)},
        dy{T, x.extents, noise(rows * columns, 92)};
    Data gain{f32, {columns}, noise(columns, 93)}, dx{T, x.extents};
    Data dgain{f32, {columns}, noise(columns, 94)}, dbias{f32, {columns}, noise(columns, 95)};
    dgain.expected = dgain.numbers;
    dbias.expected = dbias.numbers;
    const double epsilon = 1.0 / 16, width = static_cast<double>(columns);
    for (std::int64_t i = 0; i < rows; ++i) {
      const double *row = &x.numbers[at(i * columns)], *up = &dy.numbers[at(i * columns)];
      double mean = 0, squares = 0, of_up = 0, along = 0;
      for (std::int64_t j = 0; j < columns; ++j) mean += row[j] / width;
      for (std::int64_t j = 0; j < columns; ++j) squares += (row[j] - mean) * (row[j] - mean);
      const double scale = 1 / std::sqrt(squares / width + epsilon);
      for (std::int64_t j = 0; j < columns; ++j) {
        const double unit = (row[j] - mean) * scale;
        of_up += up[j] * gain.numbers[at(j)] / width;
        along += up[j] * gain.numbers[at(j)] * unit / width;
        dgain.expected[at(j)] += up[j] * unit;
        dbias.expected[at(j)] += up[j];
      }
      for (std::int64_t j = 0; j < columns; ++j)
        dx.expected.push_back(
            (up[j] * gain.numbers[at(j)] - of_up - (row[j] - mean) * scale * along) * scale);
    }
    dx.tolerance = tolerance;
    dgain.tolerance = dbias.tolerance = 2e-5;
    for (const int warps : {0, 1, 3, 8})
      if (warps == 0 || rows == 65 || rows == 17)
        check(layer_norm_gradient<T>(), with_warps({{{"x", x},
                                                     {"dy", dy},
                                                     {"gain", gain},
                                                     {"dx", dx},
                                                     {"dgain", dgain},
                                                     {"dbias", dbias}},
                                                    {{"epsilon", epsilon}},
                                                    {{"d", columns}}},
                                                   warps));
  }
}

}  // namespace

TEST_CASE("gradients of layer norm's gain and bias") {
  gradients<f32>(2e-5);
  gradients<bf16>(4e-3);
  gradients<f16>(6e-4);
}

TEST_CASE("sums, largest elements and their rows over a loop, of visible rows only") {
  const auto columns_of =
      kernel("columns_of", [](In<"x", f32, B, M, D> X, In<"k", i32, B, M, D> K,
                              Scalar<"first", i32> first, Scalar<"ends", i32> ends,
                              Out<"sum", f32, B, D> Sum, Out<"squares", f32, B, D> Squares,
                              Out<"top", f32, B, D> Top, Out<"place", i32, B, D> Place,
                              Out<"count", i32, B, D> Count, Out<"mean", f32, B> Mean) {
        auto b = each(B);
        Var<f32, D> sum{"sum_so_far", 0.f}, squares{"squares_so_far", 0.f},
            top{"top_so_far", -infinity};
        Var<i32, D> place{"place_so_far", -1}, count{"count_so_far", 0};
        Var<f32> total{"total_so_far", 0.f};
        for_blocks(M, index(M) >= first && index(M) + index(D) < ends, [&](auto m) {
          auto x = let("x_tile", load(X(b, m, D)));
          sum = sum + reduce_sum(x, M);
          auto part = let("part", reduce_sum(x * 2.f, M));
          squares = squares + part * 0.5f;
          auto best = let("best", reduce_max(x, M));
          place = where(best > top, reduce_argmax(x, M), place);
          top = max(top, best);
          count = count + reduce_sum(load(K(b, m, D)), M);
        });
        for_blocks(M, [&](auto m) {
          total = total + reduce_sum(reduce_sum(load(X(b, m, D)), D) * 0.25f, M);
        });
        store(Sum(b, D), sum);
        store(Squares(b, D), squares);
        store(Top(b, D), top);
        store(Place(b, D), place);
        store(Count(b, D), count);
        store(Mean(b), total / cast<f32>(extent(M) * extent(D)));
      });
  for (const std::int64_t rows : odd_extents) {
    const std::int64_t batch = 2, width = rows == 65 ? 333 : rows == 17 ? 130 : 65;
    Data x{f32, {batch, rows, width}, integers(batch * rows * width, -8, 8, 96)};
    Data k{i32, x.extents, integers(batch * rows * width, -100, 100, 97)};
    const double first = rows == 1 ? 0 : 3, ends = rows == 16 ? 2 : 300;
    Data sum{f32, {batch, width}}, squares = sum, top = sum, place{i32, {batch, width}},
                                   count = place;
    Data mean{f32, {batch}};
    for (std::int64_t b = 0; b < batch; ++b) {
      double all = 0;
      for (std::int64_t j = 0; j < width; ++j) {
        double added = 0, largest = -INFINITY, where_largest = -1, counted = 0;
        for (std::int64_t i = 0; i < rows; ++i) {
          const double value = x.numbers[at((b * rows + i) * width + j)];
          all += value;
          if (static_cast<double>(i) < first || static_cast<double>(i + j) >= ends) continue;
          added += value;
          counted += k.numbers[at((b * rows + i) * width + j)];
          if (value > largest) largest = value, where_largest = static_cast<double>(i);
        }
        sum.expected.push_back(added);
        squares.expected.push_back(added);
        top.expected.push_back(largest);
        place.expected.push_back(where_largest);
        count.expected.push_back(counted);
      }
      mean.expected.push_back(all * 0.25 / static_cast<double>(rows * width));
    }
    mean.tolerance = 1e-6;
    for (const int warps : {0, 1, 2, 8})
      if (warps == 0 || rows == 17)
        check(columns_of, with_warps({{{"x", x},
                                       {"k", k},
                                       {"sum", sum},
                                       {"squares", squares},
                                       {"top", top},
                                       {"place", place},
                                       {"count", count},
                                       {"mean", mean}},
                                      {{"first", first}, {"ends", ends}},
                                      {{"d", width}}},
                                     warps));
  }
}

TEST_CASE("in tiles of the grid, in branches, and of a vector") {
  const auto tiles = kernel("tiles", [](In<"x", f32, M, N> X, In<"kind", i32, N> Kind,
                                        InOut<"sum", f32, N> Sum, InOut<"rows", f32, N> Rows) {
    auto m = blocks(M);
    for_blocks(N, [&](auto n) {
      auto x = let("x_tile", load(X(m, n)));
      auto row = let("row", reduce_sum(x, N));
      when(load(Kind(0)) > 0, [&] { atomic_add(Sum(n), reduce_sum(x * 2.f, M)); });
      atomic_add(Rows(0), reduce_sum(row, M));
    });
  });
  for (const std::int64_t rows : odd_extents)
    for (const int kind : {0, 1}) {
      const std::int64_t columns = rows == 333 ? 65 : 333;
      Data x{f32, {rows, columns}, integers(rows * columns, -4, 4, 98)};
      Data kinds{i32, {columns}, std::vector<double>(at(columns), kind)};
      Data sum{f32, {columns}, integers(columns, -4, 4, 99)}, total = sum;
      sum.expected = sum.numbers;
      total.expected = total.numbers;
      for (std::int64_t i = 0; i < rows * columns; ++i) {
        if (kind > 0) sum.expected[at(i % columns)] += 2 * x.numbers[at(i)];
        total.expected[0] += x.numbers[at(i)];
      }
      check(tiles, {{{"x", x}, {"kind", kinds}, {"sum", sum}, {"rows", total}}});
    }
}

TEST_CASE("the weight that each key of a product gets") {
  const auto weights = kernel("weights", [](In<"q", bf16, B, M, D> Q, In<"k", bf16, B, N, D> K,
                                            InOut<"weight", f32, B, N> W) {
    auto b = each(B);
    auto m = blocks(M);
    auto q = let("q_tile", load(Q(b, m, D)));
    for_blocks(N, [&](auto n) {
      auto s = let("s", dot(q, load(K(b, n, D)), D));
      auto p = let("p", where(causal(M, N), exp2(s * 0.25f), 0.f));
      atomic_add(W(b, n), reduce_sum(p, M));
    });
  });
  for (const auto& [rows, columns] : {std::pair{1, 1}, {17, 333}, {65, 65}, {130, 40}}) {
    const std::int64_t batch = 2, width = 20;
    Data q{bf16, {batch, rows, width}, integers(batch * rows * width, -1, 1, 101)};
    Data k{bf16, {batch, columns, width}, integers(batch * columns * width, -1, 1, 102)};
    Data weight{f32, {batch, columns}, noise(batch * columns, 103)};
    weight.expected = weight.numbers;
    for (std::int64_t i = 0; i < batch * rows; ++i)
      for (std::int64_t j = 0; j <= i % rows + columns - rows; ++j) {
        double sum = 0;
        for (std::int64_t d = 0; d < width; ++d)
          sum += q.numbers[at(i * width + d)] * k.numbers[at((i / rows * columns + j) * width + d)];
        weight.expected[at(i / rows * columns + j)] += std::exp2(sum / 4);
      }
    weight.tolerance = 1e-5;
    check(weights, {{{"q", q}, {"k", k}, {"weight", weight}}, {}, {{"d", width}}});
  }
}

TEST_CASE("a Var becomes a reduction of what it was") {
  const auto renewed = kernel(
      "renewed", [](In<"x", f32, B, M, D> X, Out<"columns", f32, B, D> C, Out<"rows", f32, B> R) {
        auto b = each(B);
        Var<f32, D> column{"column_before", 1.f};
        Var<f32> all{"all_before", 2.f};
        for_blocks(M, index(M) < 3, [&](auto m) {  // in any tiling the first tile alone
          auto x = let("x_tile", load(X(b, m, D)));
          column = reduce_sum(x * column, M);
          all = reduce_sum(reduce_sum(x, D) * all, M);
        });
        store(C(b, D), column);
        store(R(b), all);
      });
  const auto alone = kernel("alone", [](In<"x", f32, B, N> X, Out<"sum", f32, B> S) {
    auto b = each(B);
    Var<f32> sum{"sum_before", 2.f};
    for_blocks(N, index(N) < 3, [&](auto n) { sum = reduce_sum(load(X(b, n)) * sum, N); });
    store(S(b), sum);
  });
  const std::int64_t batch = 2, rows = 17, width = 65;
  Data x{f32, {batch, rows, width}, integers(batch * rows * width, -8, 8, 104)};
  Data columns{f32, {batch, width}}, all{f32, {batch}};
  columns.expected.assign(at(batch * width), 0);
  all.expected.assign(at(batch), 0);
  for (std::int64_t i = 0; i < batch * rows * width; ++i) {
    if (i / width % rows >= 3) continue;
    columns.expected[at(i / (rows * width) * width + i % width)] += x.numbers[at(i)];
    all.expected[at(i / (rows * width))] += 2 * x.numbers[at(i)];
  }
  check(renewed, {{{"x", x}, {"columns", columns}, {"rows", all}}, {}, {{"d", width}}});
  Data row{f32, {batch, width}, integers(batch * width, -8, 8, 105)}, sum{f32, {batch}};
  for (std::int64_t b = 0; b < batch; ++b)
    sum.expected.push_back(2 * (row.numbers[at(b * width)] + row.numbers[at(b * width + 1)] +
                                row.numbers[at(b * width + 2)]));
  check(alone, {{{"x", row}, {"sum", sum}}});
}
