// expect: store(x, value): value must have exactly the dimensions of x
// names: "q" "d" f32
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W, Out<"sum", f32, B, M> Sum) {
  auto b = each(B);
  auto m = blocks(M);
  auto w = let("w", load(W(b, m, D)));
  store(Sum(b, m), w);  // wrong
});
