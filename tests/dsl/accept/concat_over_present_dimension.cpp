#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, D> Q) {
  auto m = blocks(M);
  let("t", concat(D, D, load(Q(m, D)), load(Q(m, D))));
});
