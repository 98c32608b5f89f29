// expect: atomic_add(x, value): value must have exactly the dimensions of x, or none
// names: "q" "d" f32
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, M, D> W, InOut<"out", f32, M> O) {
  auto m = blocks(M);
  auto w = let("w", load(W(m, D)));
  atomic_add(O(m), w);  // wrong
});
