#include "../dimensions.hpp"

auto program = kernel("program", [](Out<"sum", f32, B, M> Sum) {
  auto b = each(B);
  auto m = blocks(M);
  store(Sum(b, m), cast<f32>(index(M)));
});
