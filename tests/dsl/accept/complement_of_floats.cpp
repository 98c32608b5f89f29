#include "../dimensions.hpp"

auto program = kernel("program", [](In<"w", i32, B, M, D> W) {
  auto b = each(B);
  auto m = blocks(M);
  auto w = let("w", load(W(b, m, D)));
  let("s", ~w);
});
