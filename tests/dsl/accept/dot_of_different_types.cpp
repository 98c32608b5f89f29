#include "../dimensions.hpp"

auto program = kernel("program", [](In<"k", bf16, B, N, D> K, In<"w", f32, B, M, D> W) {
  auto b = each(B);
  auto m = blocks(M);
  auto w = let("w", load(W(b, m, D)));
  auto k = let("k", load(K(b, N, D)));
  let("s", dot(cast<bf16>(w), k, D));
});
