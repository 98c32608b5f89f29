// expect: a tensor is not a value: write load(x(…))
// names: "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D> Q) {
  blocks(M);
  let("s", Q * 2);  // wrong
});
