// expect: as<M>(slice(x, D, lo, count)): x has dimension M besides
// names: "q" "d"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, D> Q) {
  auto m = blocks(M);
  let("t", as<M>(slice(load(Q(m, D)), D, 0, 8)));  // wrong
});
