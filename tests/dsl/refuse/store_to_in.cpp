// expect: store(x, value): the tensor must be an Out or InOut
// names: in "q" "d"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W) {
  auto b = each(B);
  auto m = blocks(M);
  auto w = let("w", load(W(b, m, D)));
  store(W(b, m, D), w);  // wrong
});
