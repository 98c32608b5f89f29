// expect: for_blocks(N, body): body must take the block, [&](auto n) { … }
// names: "kv"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D>, In<"k", bf16, B, N, D>) {
  blocks(M);
  Var<f32, M> sum{"sum", 0};
  for_blocks(N, [&]() { sum = sum + 1; });  // wrong
});
