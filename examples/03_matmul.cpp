// Lesson 3: a product. Two tiled dimensions make the grid, the third is walked tile by tile.
//
// `dot(a, b, K)` contracts the dimension it names, whichever place it has in either operand: there
// is nothing to transpose. What a tensor core takes, how tiles reach it through shared memory and
// what is fetched ahead is the compiler's business; --cuda shows what it decided. Products of bf16
// are summed in f32, and `store` rounds back, so what follows the product (a bias, an activation)
// costs no trip to memory.
//
// Next: 04_flash.cpp, two products around lesson 2's softmax.
#include <tilewright/dsl.hpp>

#include "lesson.hpp"
using namespace tilewright;

constexpr Dim<"m"> M;
constexpr Dim<"n"> N;
constexpr Dim<"k"> K;

// clang-format off
auto matmul = kernel("matmul",
    [](In<"a", bf16, M, K> A, In<"b", bf16, K, N> B, In<"bias", f32, N> Bias, Out<"c", bf16, M, N> C) {
      auto m = blocks(M);  auto n = blocks(N);

      Var<f32, M, N> acc{"acc", 0.f};
      for_blocks(K, [&](auto k) { acc = acc + dot(load(A(m, k)), load(B(k, n)), K); });

      auto x    = let("x", acc + load(Bias(n)));
      auto gelu = let("gelu", x * 0.5f * (1.f + tanh(0.7978845608f * (x + 0.044715f * x * x * x))));
      store(C(m, n), gelu);
    });
// clang-format on

int main(int argc, char** argv) try {
  const Device device = Device::open();
  const Plan plan = compile(device, matmul);
  if (lesson::wants_cuda(argc, argv)) return lesson::show(plan.cuda_source());

  const int rows = 200, columns = 136, depth = 300;  // no multiple of anything
  const lesson::Tensor a(device, bf16, {rows, depth}, 1), b(device, bf16, {depth, columns}, 2);
  const lesson::Tensor bias(device, f32, {columns}, 3);
  lesson::Tensor c(device, bf16, {rows, columns});
  plan.launch(Stream::default_stream(device), {{"a", a}, {"b", b}, {"bias", bias}, {"c", c}});
  c.download();

  double error = 0;
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) {
      double x = bias(j);
      for (int l = 0; l < depth; ++l) x += a(i, l) * b(l, j);
      const double want = x * 0.5 * (1 + std::tanh(0.7978845608 * (x + 0.044715 * x * x * x)));
      error = lesson::worse(error, std::fabs(c(i, j) - want) / (1 + std::fabs(want)));
    }
  return lesson::verdict(plan, error, 4e-3);
} catch (const Error& error) {
  return lesson::failed(error);
}
