#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D> Q) {
  auto b = each(B);
  auto m = blocks(M);
  let("s", load(Q(b, m, D)) * 2);
});
