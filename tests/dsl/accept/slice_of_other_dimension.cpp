#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, M, D> Q) {
  auto m = blocks(M);
  let("q", load(Q(m, slice(D, 0, 8))));
});
