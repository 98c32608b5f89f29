// expect: Var = x: x has a dimension that the Var lacks
// names: "q" "d" f32
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W) {
  auto b = each(B);
  auto m = blocks(M);
  auto w = let("w", load(W(b, m, D)));
  Var<f32, M> sum{"sum", 0};
  sum = w;  // wrong
});
