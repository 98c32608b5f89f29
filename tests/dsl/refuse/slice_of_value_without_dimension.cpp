// expect: slice(x, D, lo, count): x must have dimension D
// names: "q" "e"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, D> Q) {
  auto m = blocks(M);
  let("t", slice(load(Q(m, D)), E, 0, 8));  // wrong
});
