// expect: arithmetic and comparisons: operands must be numbers, not conditions (b1)
// names: b1 "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W) {
  auto b = each(B);
  auto m = blocks(M);
  auto w = let("w", load(W(b, m, D)));
  let("s", (w > 0) + (w > 1));  // wrong
});
