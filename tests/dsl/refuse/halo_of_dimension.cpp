// expect: halo(m, before, after): m must be a block
// names: "d"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, M, D> Q) {
  auto m = blocks(M);
  let("q", load(Q(m, halo(D, 1, 1))));  // wrong
});
