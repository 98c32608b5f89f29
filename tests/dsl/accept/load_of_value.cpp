#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W) {
  auto b = each(B);
  auto m = blocks(M);
  let("s", load(W(b, m, D)));
});
