#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, M, N> W, In<"v", f32, N, E> V) {
  auto m = blocks(M);
  OnlineSoftmax<M, E> softmax;
  for_blocks(N, [&](auto n) { softmax.update(load(W(m, n)), load(V(n, E)), N); });
});
