// expect: for_range(count, body): count must be an i32 number without dimensions
// names: i32 "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D>) {
  blocks(M);
  for_range(index(M), [&](auto) {});  // wrong
});
