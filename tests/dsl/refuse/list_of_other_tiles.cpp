// expect: for_blocks(N, list, …): the list must be one of tiles of N
// names: "kv" "head"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, H, M, D>, In<"k", bf16, B, H, N, D> K,
                                    BlockList<"blocks", B, H, M, N> list) {
  auto b = each(B);
  auto h = each(H);
  auto m = blocks(M, 64);
  for_blocks(H, list(b, h, m), [&](auto) {});  // wrong
});
