#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D> Q, In<"k", bf16, B, N, D> K) {
  auto b = each(B);
  auto m = blocks(M);
  auto q = let("q", load(Q(b, m, D)));
  for_blocks(N, causal(M, N), [&](auto n) { let("s", dot(q, load(K(b, n, D)), D)); });
});
