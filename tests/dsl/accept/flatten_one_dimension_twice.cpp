#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, H, D>) {
  auto rows = blocks(flatten(flatten(M, H), D));
  let("i", rows[H]);
});
