// expect: reduce_max, reduce_sum, reduce_argmax(x, N): x must have dimension N
// names: "q" "d" "kv" f32
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W, In<"k", bf16, B, N, D>) {
  auto b = each(B);
  auto m = blocks(M);
  auto w = let("w", load(W(b, m, D)));
  let("s", reduce_max(w, N));  // wrong
});
