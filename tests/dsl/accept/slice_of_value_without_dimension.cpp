#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, D> Q) {
  auto m = blocks(M);
  let("t", slice(load(Q(m, D)), D, 0, 8));
});
