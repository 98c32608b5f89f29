// expect: a block is not a value: write index(N) inside it
// names: "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D>) {
  auto m = blocks(M);
  let("s", m + 1);  // wrong
});
