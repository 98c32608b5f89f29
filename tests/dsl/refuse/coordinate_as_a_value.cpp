// expect: a dimension is not a value: write index(M), position(M) or extent(M)
// names: Coordinate "q*head"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, H, M>) {
  constexpr auto HM = flatten(M, H);
  blocks(HM);
  let("x", HM[M] % 2);  // wrong
});
