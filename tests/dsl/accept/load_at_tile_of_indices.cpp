#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W, In<"p", f32, M> P) {
  auto b = each(B);
  auto m = blocks(M);
  let("s", load(W(b, cast<i32>(load(P(m))), D)));
});
