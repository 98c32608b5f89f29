#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D>) {
  blocks(M);
  let("s", dot(cast<f32>(index(D)), cast<f32>(index(D)), D));
});
