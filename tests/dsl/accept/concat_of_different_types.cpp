#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, E> Q) {
  auto m = blocks(M);
  let("t", concat(D, E, load(Q(m, E)), load(Q(m, E))));
});
