#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, H, M, D> Q) {
  auto rows = blocks(flatten(M, H));
  let("x", load(Q(rows[H], rows[M], D)));
});
