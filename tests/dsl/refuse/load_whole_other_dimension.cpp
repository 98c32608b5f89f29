// expect: tensor(…): a dimension, each or block must name the tensor's dimension at its place
// names: "e" "d"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W) {
  auto b = each(B);
  auto m = blocks(M);
  let("s", load(W(b, m, E)));  // wrong
});
