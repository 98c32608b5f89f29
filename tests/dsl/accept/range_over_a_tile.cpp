#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D>, Scalar<"window", i32> window) {
  blocks(M);
  for_range(window, [&](auto) {});
});
