// Row sums, written, compiled, launched and checked outside the tree. The folders ir/ and runtime/
// and the file pipeline.hpp of this project must not be taken for Tilewright's own.
#include <cmath>
#include <cstdio>
#include <tilewright/compile.hpp>
#include <tilewright/dsl.hpp>
#include <tilewright/error.hpp>
#include <vector>

#include "ir/ir.hpp"
#include "pipeline.hpp"
#include "runtime/memory.hpp"

using namespace tilewright;

constexpr Dim<"row"> M;
constexpr Dim<"column"> N;

int main() try {
  const auto sums = kernel("sums", [](In<"x", f32, M, N> X, Out<"y", f32, M> Y) {
    auto m = blocks(M);
    Var<f32, M> sum{"sum", 0.f};
    for_blocks(N, [&](auto n) { sum = sum + reduce_sum(load(X(m, n)), N); });
    store(Y(m), sum);
  });
  const Device device = Device::open();
  const Plan plan = compile(device, sums);
  const int rows = 33, columns = 77;
  std::vector<float> x(rows * columns), y(rows);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 13);
  Buffer given(device, 4 * x.size()), result(device, 4 * y.size());
  given.upload(x.data(), 4 * x.size());
  plan.launch(Stream::default_stream(device),
              {{"x", TensorView::contiguous(given.address(), f32, {rows, columns})},
               {"y", TensorView::contiguous(result.address(), f32, {rows})}});
  result.download(y.data(), 4 * y.size());
  for (int i = 0; i < rows; ++i) {
    float want = 0;
    for (int j = 0; j < columns; ++j) want += x[static_cast<std::size_t>(i * columns + j)];
    if (std::fabs(y[static_cast<std::size_t>(i)] - want) > 1e-3f) return 1;
  }
  std::printf("ok on %s, %d\n", device.spec().c_str(), blank::three);
  return blank::three == 3 ? 0 : 1;
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
