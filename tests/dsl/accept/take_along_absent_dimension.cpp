#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, D> Q) {
  auto m = blocks(M);
  let("t", take(load(Q(m, D)), D, index(D)));
});
