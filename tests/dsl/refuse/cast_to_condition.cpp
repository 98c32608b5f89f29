// expect: cast<T>(x): T must be f32, f16, bf16 or i32
// names: b1 "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W) {
  auto b = each(B);
  auto m = blocks(M);
  auto w = let("w", load(W(b, m, D)));
  let("s", cast<b1>(w));  // wrong
});
