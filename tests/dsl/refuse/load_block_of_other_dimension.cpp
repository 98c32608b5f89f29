// expect: tensor(…): a dimension, each or block must name the tensor's dimension at its place
// names: "q" "kv"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D>, In<"k", bf16, B, N, D> K) {
  auto b = each(B);
  auto m = blocks(M);
  let("s", load(K(b, m, D)));  // wrong
});
