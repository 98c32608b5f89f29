#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W, Scalar<"seed", i32> seed) {
  auto b = each(B);
  auto m = blocks(M);
  let("kept", where(random(seed, index(M)) > 0.5f, load(W(b, m, D)), 0.f));
});
