#include "../dimensions.hpp"

auto program = kernel("program", [](In<"k", bf16, N, D> K, BlockList<"blocks", M, N>) {
  for_blocks(N, [&](auto n) { let("k", load(K(n, D))); });
});
