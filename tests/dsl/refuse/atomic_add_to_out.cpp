// expect: atomic_add(x, value): the tensor must be an InOut
// names: out "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, M> W, Out<"out", f32, M> O) {
  auto m = blocks(M);
  auto w = let("w", load(W(m)));
  atomic_add(O(m), w);  // wrong
});
