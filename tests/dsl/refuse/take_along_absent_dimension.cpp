// expect: take(x, D, i): x must have dimension D
// names: "q" "e"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, D> Q) {
  auto m = blocks(M);
  let("t", take(load(Q(m, D)), E, index(D)));  // wrong
});
