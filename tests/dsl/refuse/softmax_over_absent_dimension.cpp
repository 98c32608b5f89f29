// expect: reduce_max, reduce_sum, reduce_argmax(x, N): x must have dimension N
// names: "q" "d" "kv"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, M, D> W, In<"v", f32, N, E> V) {
  auto m = blocks(M);
  OnlineSoftmax<M, E> softmax;
  for_blocks(N, [&](auto n) {
    softmax.update(load(W(m, D)), load(V(n, E)), N);  // wrong
  });
});
