// expect: tensor(…): a dimension, each or block must name the tensor's dimension at its place
// names: "e" "d"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, M, D> Q) {
  auto m = blocks(M);
  let("q", load(Q(m, slice(E, 0, 8))));  // wrong
});
