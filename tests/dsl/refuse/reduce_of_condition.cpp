// expect: reduce_max, reduce_sum, reduce_argmax(x, N): x must be numbers; cast<f32>(x)
// names: b1 "d"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W) {
  auto b = each(B);
  auto m = blocks(M);
  auto w = let("w", load(W(b, m, D)));
  let("s", reduce_sum(w > 0, D));  // wrong
});
