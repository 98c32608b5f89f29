#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, M, D> Q) {
  auto m = blocks(M);
  let("q", load(Q(as<N>(halo(m, 1, 1)), D)));
});
