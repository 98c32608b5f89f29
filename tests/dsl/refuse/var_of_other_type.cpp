// expect: Var = x: element types differ; write cast<T>(x)
// names: bf16 f32 "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D> Q) {
  auto b = each(B);
  auto m = blocks(M);
  auto q = let("q", load(Q(b, m, D)));
  Var<f32, M> sum{"sum", 0};
  sum = reduce_sum(q, D);  // wrong
});
