#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D> Q) {
  auto m = blocks(M);
  let("q", load(Q(each(B), as<N>(m), D)));
});
