// expect: dot(a, b, K): operands may share no dimension but K
// names: "q" "d" bf16
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D> Q) {
  auto b = each(B);
  auto m = blocks(M);
  auto q = let("q", load(Q(b, m, D)));
  let("s", dot(q, q, D));  // wrong
});
