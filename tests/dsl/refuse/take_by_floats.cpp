// expect: take(x, D, i): i must be i32
// names: "d"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, D> Q) {
  auto m = blocks(M);
  let("t", take(load(Q(m, D)), D, load(Q(m, D))));  // wrong
});
