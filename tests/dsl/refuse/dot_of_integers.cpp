// expect: dot(a, b, K): operands must be f16, bf16 or f32
// names: i32 "d"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D>) {
  blocks(M);
  let("s", dot(index(D), index(D), D));  // wrong
});
