// expect: for_blocks(N, list, …): list must be a row of a BlockList, list(b, h, m)
// names: "q" "kv"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, H, M, D>, In<"k", bf16, B, H, N, D> K,
                                    BlockList<"blocks", B, H, M, N> list) {
  auto b = each(B);
  auto h = each(H);
  auto m = blocks(M, 64);
  const auto body = [&](auto n) { let("k", load(K(b, h, n, D))); };
  for_blocks(N, index(M) >= index(N), list(b, h, m), body);  // wrong
});
