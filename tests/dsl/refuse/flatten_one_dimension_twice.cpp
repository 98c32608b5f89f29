// expect: flatten(M, G): the dimensions must differ
// names: "q*head*q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, H>) {
  auto rows = blocks(flatten(flatten(M, H), M));  // wrong
  let("i", rows[H]);
});
