// expect: concat(D, H, a, b): every part must have the dimension H named before it
// names: "q" "e"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, E> Q) {
  auto m = blocks(M);
  let("t", concat(D, H, load(Q(m, E)), load(Q(m, E))));  // wrong
});
