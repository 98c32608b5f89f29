// expect: tensor(…): one index per dimension of the tensor
// names: "out" "q" 2
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", f32, B, M, D> W, Out<"out", f32, B, M, D> O) {
  auto b = each(B);
  auto m = blocks(M);
  auto w = let("w", load(W(b, m, D)));
  store(O(b, m), w);  // wrong
});
