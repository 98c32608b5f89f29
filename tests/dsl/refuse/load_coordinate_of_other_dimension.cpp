// expect: tensor(…): a dimension, each or block must name the tensor's dimension at its place
// names: "head" "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, H, M, D> Q) {
  auto rows = blocks(flatten(M, H));
  let("x", load(Q(rows[M], rows[M], D)));  // wrong
});
