// expect: tensor(…): an index must be i32, a number or a tile that picks elements
// names: f32 "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W, In<"p", f32, M> P) {
  auto b = each(B);
  auto m = blocks(M);
  let("s", load(W(b, load(P(m)), D)));  // wrong
});
