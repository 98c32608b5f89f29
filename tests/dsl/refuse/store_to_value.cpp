// expect: store(x, value): x must be a tile of a tensor, O(b, h, m, E)
// names: f32 "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W) {
  auto b = each(B);
  auto m = blocks(M);
  auto w = let("w", load(W(b, m, D)));
  store(w, w);  // wrong
});
