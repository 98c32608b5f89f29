// expect: load(x): the tensor must be an In or InOut
// names: out "q" "d"
#include "../dimensions.hpp"

auto program = kernel("program", [](Out<"out", f32, B, M, D> O) {
  auto b = each(B);
  auto m = blocks(M);
  let("s", load(O(b, m, D)));  // wrong
});
