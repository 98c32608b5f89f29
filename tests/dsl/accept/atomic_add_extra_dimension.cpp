#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, M, D> W, InOut<"out", f32, M> O) {
  auto m = blocks(M);
  auto w = let("w", load(W(m, D)));
  atomic_add(O(m), reduce_sum(w, D));
});
