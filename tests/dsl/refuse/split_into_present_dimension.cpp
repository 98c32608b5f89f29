// expect: split(x, D, 2, H): x has dimension H besides D
// names: "q" "d"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, D> Q) {
  auto m = blocks(M);
  let("t", split(load(Q(m, D)), D, 2, M)[0]);  // wrong
});
