// A sum, scaled: no loop, no reduction.
#pragma once

#include <tilewright/dsl.hpp>

namespace tilewright::test {

/// c = factor * (a + b), in f32.
inline auto add() {
  constexpr Dim<"row"> M;
  return kernel("add", [=](In<"a", f16, M> A, In<"b", f16, M> B, Out<"c", f16, M> C,
                           Scalar<"factor", f32> factor) {
    auto m = blocks(M);
    auto sum = let("sum", cast<f32>(load(A(m))) + cast<f32>(load(B(m))));
    store(C(m), sum * factor);
  });
}

}  // namespace tilewright::test
