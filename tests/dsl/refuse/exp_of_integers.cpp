// expect: exp2, log2, tanh, …: the operand must be floating; cast<f32> it
// names: i32 "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D>) {
  blocks(M);
  let("s", exp2(index(M)));  // wrong
});
