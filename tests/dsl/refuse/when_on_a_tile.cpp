// expect: when(condition, body): the condition must be b1 without dimensions
// names: b1 "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, M> W, InOut<"out", f32, M> O) {
  auto m = blocks(M);
  auto w = let("w", load(W(m)));
  when(w > 0.f, [&] { store(O(m), w); });  // wrong
});
