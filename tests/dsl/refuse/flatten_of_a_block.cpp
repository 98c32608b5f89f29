// expect: flatten(M, G): takes two dimensions or more, not their blocks
// names: Block "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, H>) {
  auto m = blocks(M);
  auto rows = flatten(m, H);  // wrong
});
