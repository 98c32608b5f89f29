// expect: &&, ||, !: operands must be conditions (b1)
// names: f32 "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W) {
  auto b = each(B);
  auto m = blocks(M);
  auto w = let("w", load(W(b, m, D)));
  let("s", where(w && w > 0, w, 0));  // wrong
});
