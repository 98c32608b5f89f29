// expect: BlockList<name, B, H, M, N>: needs a dimension of rows and one of listed tiles
// names: are_whole_lists
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"k", bf16, N, D> K, BlockList<"blocks", N>) {  // wrong
  for_blocks(N, [&](auto n) { let("k", load(K(n, D))); });
});
