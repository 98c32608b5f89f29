#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D>, In<"seen", i32, B> Seen) {
  auto b = each(B);
  blocks(M);
  let("s", load(Seen(b)));
});
