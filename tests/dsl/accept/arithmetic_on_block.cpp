#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D>) {
  blocks(M);
  let("s", index(M) + 1);
});
