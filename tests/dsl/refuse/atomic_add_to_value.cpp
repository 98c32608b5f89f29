// expect: atomic_add(x, value): x must be a tile of a tensor, O(b, h, m, E)
// names: f32 "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, M> W, InOut<"out", f32, M> O) {
  auto m = blocks(M);
  auto w = let("w", load(W(m)));
  atomic_add(w, w);  // wrong
});
