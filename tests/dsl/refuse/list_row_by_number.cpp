// expect: list(b, h, m): the last index must be a block of the list's rows
// names: "q" int
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, H, M, D>, In<"k", bf16, B, H, N, D> K,
                                    BlockList<"blocks", B, H, M, N> list) {
  auto b = each(B);
  auto h = each(H);
  auto m = blocks(M, 64);
  for_blocks(N, list(b, h, 0), [&](auto n) { let("k", load(K(b, h, n, D))); });  // wrong
});
