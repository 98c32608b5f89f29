// expect: random(seed, offset): the offset (and the stream) must be i32
// names: f32 "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W) {
  auto b = each(B);
  auto m = blocks(M);
  auto w = let("w", load(W(b, m, D)));
  let("s", random_bits(seed64(1, 2), w, index(M)));  // wrong
});
