// expect: reduce_max, reduce_sum, reduce_argmax(x, N): x must be numbers; cast<f32>(x)
// names: b1 "kv"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"x", f32, M, N> X) {
  auto m = blocks(M);
  for_blocks(N, [&](auto n) { let("s", reduce_argmax(load(X(m, n)) > 0.f, N)); });  // wrong
});
