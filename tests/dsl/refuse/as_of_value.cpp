// expect: as<M>(x): x must be a dimension, a block, or a slice, part or halo of one
// names: Each
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D> Q) {
  auto m = blocks(M);
  let("q", load(Q(each(B), as<N>(each(B)), D)));  // wrong
});
