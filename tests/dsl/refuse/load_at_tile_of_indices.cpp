// expect: tensor(…): an index must be an i32 number without dimensions
// names: i32 "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W) {
  auto b = each(B);
  blocks(M);
  let("s", load(W(b, index(M), D)));  // wrong
});
