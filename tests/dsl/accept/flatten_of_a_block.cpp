#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, H> Q) {
  auto rows = blocks(flatten(M, H));
  let("x", load(Q(rows[M], rows[H])));
});
