#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D>, In<"k", bf16, B, N, D>) {
  blocks(M);
  Var<f32, M> sum{"sum", 0};
  for_blocks(N, [&](auto) { sum = sum + 1; });
});
