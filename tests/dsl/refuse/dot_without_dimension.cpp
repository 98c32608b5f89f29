// expect: dot(a, b, K): both operands must have dimension K
// names: "q" "kv" "d" "e" bf16
#include "../dimensions.hpp"

auto program = kernel(
    "program", [](In<"q", bf16, B, M, D> Q, In<"k", bf16, B, N, D> K, Scalar<"scale", f32> scale) {
      auto b = each(B);
      auto m = blocks(M);
      auto q = let("q", load(Q(b, m, D)));
      auto k = let("k", load(K(b, N, D)));
      let("s", dot(q, k, E) * scale);  // wrong
    });
