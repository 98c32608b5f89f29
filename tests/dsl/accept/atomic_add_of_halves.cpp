#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", bf16, M> W, InOut<"out", f32, M> O) {
  auto m = blocks(M);
  auto w = let("w", load(W(m)));
  atomic_add(O(m), cast<f32>(w));
});
