#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D>, In<"k", bf16, B, N, D> K) {
  auto b = each(B);
  blocks(M);
  for_blocks(N, index(M) >= index(N), [&](auto n) { let("k", load(K(b, n, D))); });
});
