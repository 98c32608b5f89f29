// expect: tensor(…): one index per dimension of the tensor
// names: "seen" i32 2
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D>, In<"seen", i32, B> Seen) {
  auto b = each(B);
  auto m = blocks(M);
  let("s", load(Seen(b, m)));  // wrong
});
