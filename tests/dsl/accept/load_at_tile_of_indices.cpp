#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W, Scalar<"window", i32> window) {
  auto b = each(B);
  blocks(M);
  let("s", load(W(b, window + 1, D)));
});
