// expect: concat(D, H, a, b): parts must agree in element type and in all dimensions but the one they are put along
// names: f32 f16
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, E> Q) {
  auto m = blocks(M);
  let("t", concat(D, E, load(Q(m, E)), cast<f16>(load(Q(m, E)))));  // wrong
});
