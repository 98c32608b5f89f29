#include "../dimensions.hpp"

auto program = kernel("program", [](In<"x", f32, M, N> X) {
  auto m = blocks(M);
  for_blocks(N, [&](auto n) { let("s", reduce_argmax(load(X(m, n)), N)); });
});
