#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, H, M>) {
  constexpr auto HM = flatten(M, H);
  blocks(HM);
  let("x", index(HM[M]) % 2);
});
