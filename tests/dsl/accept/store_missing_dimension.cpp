#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W, Out<"sum", f32, B, M> Sum) {
  auto b = each(B);
  auto m = blocks(M);
  auto w = let("w", load(W(b, m, D)));
  store(Sum(b, m), reduce_sum(w, D));
});
