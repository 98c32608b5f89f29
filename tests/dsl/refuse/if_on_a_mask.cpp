// expect: if (x): a tile has no value while the kernel is traced; write where(x, a, b)
// names: b1 "q" "kv"
#include "../dimensions.hpp"

auto program = kernel(
    "program", [](In<"w", f32, B, M, D> W, Out<"out", f32, B, M, D> O, In<"k", bf16, B, N, D>) {
      auto b = each(B);
      auto m = blocks(M);
      auto w = let("w", load(W(b, m, D)));
      if (causal(M, N)) store(O(b, m, D), w);  // wrong
    });
