#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, H, D> Q) {
  auto rows = blocks(flatten(M, H, D));
  let("x", load(Q(rows[M], rows[H], rows[D])));
});
