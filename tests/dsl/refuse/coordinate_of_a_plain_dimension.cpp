// expect: GM[M]: GM must be flatten(…) of dimensions with M among them
// names: "q" "head"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"k", f32, N>) {
  for_blocks(N, causal(M[H], N), [](auto) {});  // wrong
});
