// Lesson 1: a kernel is a lambda over named tensors. It says what happens to one tile.
//
// `blocks` asks for one program per tile; how large a tile is, who computes which element of it,
// and that the last tiles are cut off by the end of the tensor is the compiler's business. Operands
// meet by the names of their dimensions, so `bias`, which has no rows, is added to every row.
//
//   build/examples/01_add            runs it and checks the result
//   build/examples/01_add --cuda     shows what it became
//
// Next: 02_softmax.cpp, a loop that carries a state.
#include <tilewright/dsl.hpp>

#include "lesson.hpp"
using namespace tilewright;

constexpr Dim<"row"> M;
constexpr Dim<"column"> N;

// clang-format off
auto add = kernel("add",
    [](In<"a", f32, M, N> A, In<"b", f32, M, N> B, In<"bias", f32, N> Bias, Out<"sum", f32, M, N> Sum) {
      auto m = blocks(M);  auto n = blocks(N);  // one program per pair of tiles: this is the launch grid

      auto a = let("a", load(A(m, n)));         // past the end of a tensor a load gives 0
      auto b = let("b", load(B(m, n)));
      store(Sum(m, n), a + b + load(Bias(n)));  // and a store writes nothing there
    });
// clang-format on

int main(int argc, char** argv) try {
  const Device device = Device::open();  // the first GPU, or the emulator where there is none
  const Plan plan = compile(device, add);
  if (lesson::wants_cuda(argc, argv)) return lesson::show(plan.cuda_source());

  const int rows = 1000, columns = 77;  // extents are known at launch: one plan serves all
  const lesson::Tensor a(device, f32, {rows, columns}, 1), b(device, f32, {rows, columns}, 2);
  const lesson::Tensor bias(device, f32, {columns}, 3);
  lesson::Tensor sum(device, f32, {rows, columns});
  plan.launch(Stream::default_stream(device), {{"a", a}, {"b", b}, {"bias", bias}, {"sum", sum}});
  sum.download();

  double error = 0;
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j)
      error = lesson::worse(error, std::fabs(sum(i, j) - (a(i, j) + b(i, j) + bias(j))));
  return lesson::verdict(plan, error, 1e-6);
} catch (const Error& error) {
  return lesson::failed(error);
}
