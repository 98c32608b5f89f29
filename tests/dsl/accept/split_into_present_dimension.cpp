#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, D> Q) {
  auto m = blocks(M);
  let("t", split(load(Q(m, D)), D, 2, E)[0]);
});
