// Lesson 2: a loop over tiles that carries a state: the softmax of each row, however long it is.
//
// A row does not fit on the chip, so it is read twice, a tile at a time. The first loop finds its
// maximum and the sum of its exponentials together: when a tile raises the maximum, the sum so far
// is scaled down to the new one. The second loop writes. A `Var` is what a loop changes; `let`
// names a value, in the program and in the CUDA that comes of it (--cuda).
//
// The last tile is ragged, and nothing here says so: a reduction over N takes what is in the
// tensor.
//
// Next: 03_matmul.cpp, a product of tiles.
#include <tilewright/dsl.hpp>

#include "lesson.hpp"
using namespace tilewright;

constexpr Dim<"row"> M;
constexpr Dim<"column"> N;

// clang-format off
auto softmax = kernel("softmax", [](In<"x", f32, M, N> X, Out<"y", f32, M, N> Y) {
  auto m = blocks(M);

  Var<f32, M> row_max{"row_max", -infinity};
  Var<f32, M> row_sum{"row_sum", 0.f};
  for_blocks(N, [&](auto n) {
    auto t     = let("t", load(X(m, n)) * log2_e);           // exp(x) is exp2(x * log2(e)), and cheaper
    auto m_new = let("m_new", max(row_max, reduce_max(t, N)));
    auto alpha = let("alpha", exp2_safe(row_max, m_new));    // 0 in the first tile, where row_max is -inf
    row_sum = row_sum * alpha + reduce_sum(exp2_safe(t, m_new), N);
    row_max = m_new;
  });

  for_blocks(N, [&](auto n) {
    store(Y(m, n), exp2(load(X(m, n)) * log2_e - row_max) / row_sum);
  });
});
// clang-format on

int main(int argc, char** argv) try {
  const Device device = Device::open();
  const Plan plan = compile(device, softmax);
  if (lesson::wants_cuda(argc, argv)) return lesson::show(plan.cuda_source());

  const int rows = 333, columns = 777;
  const lesson::Tensor x(device, f32, {rows, columns}, 1);
  lesson::Tensor y(device, f32, {rows, columns});
  plan.launch(Stream::default_stream(device), {{"x", x}, {"y", y}});
  y.download();

  double error = 0;
  for (int i = 0; i < rows; ++i) {
    double top = x(i, 0), sum = 0;
    for (int j = 0; j < columns; ++j) top = std::max(top, x(i, j));
    for (int j = 0; j < columns; ++j) sum += std::exp(x(i, j) - top);
    for (int j = 0; j < columns; ++j)
      error = lesson::worse(error, std::fabs(y(i, j) - std::exp(x(i, j) - top) / sum));
  }
  return lesson::verdict(plan, error, 1e-7);
} catch (const Error& error) {
  return lesson::failed(error);
}
