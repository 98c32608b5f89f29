// expect: where(condition, a, b): a and b must have the same element type
// names: f32 bf16
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D> Q, In<"w", f32, B, M, D> W) {
  auto b = each(B);
  auto m = blocks(M);
  auto q = let("q", load(Q(b, m, D)));
  auto w = let("w", load(W(b, m, D)));
  let("s", where(w > 0, w, q));  // wrong
});
