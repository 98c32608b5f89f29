// expect: a dimension is not a value: write index(M), position(M) or extent(M)
// names: "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D>, In<"k", bf16, B, N, D>) {
  blocks(M);
  for_blocks(N, M >= N, [&](auto) {});  // wrong
});
