// expect: concat(D, H, a, b): a part has dimension D besides H
// names: "q" "d"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, D> Q) {
  auto m = blocks(M);
  let("t", concat(M, D, load(Q(m, D)), load(Q(m, D))));  // wrong
});
