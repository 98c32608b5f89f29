// expect: gm[M]: gm must be a block of flatten(…) of dimensions with M among them
// names: "q*head" "d"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, H, D> Q) {
  auto rows = blocks(flatten(M, H));
  let("x", load(Q(rows[M], rows[H], rows[D])));  // wrong
});
