// expect: atomic_add(x, value): x and value must both be f32 or both i32
// names: bf16 "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", bf16, M> W, InOut<"out", bf16, M> O) {
  auto m = blocks(M);
  auto w = let("w", load(W(m)));
  atomic_add(O(m), w);  // wrong
});
