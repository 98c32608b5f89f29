// Matrix product with a bias and an activation: two tiled dimensions in the grid, one contracted in
// a loop, all of any length.
#pragma once

#include <tilewright/dsl.hpp>

namespace tilewright::test {

/// c[m, n] = gelu(sum over k of a[m, k] b[k, n] + bias[n]), in the tanh form of gelu (Hendrycks and
/// Gimpel 2016, arXiv 1606.08415, section 2).
template <DType T>
auto matmul() {
  constexpr Dim<"m"> M;
  constexpr Dim<"n"> N;
  constexpr Dim<"k"> K;
  return kernel("matmul", [=](In<"a", T, M, K> A, In<"b", T, K, N> B, In<"bias", f32, N> Bias,
                              Out<"c", T, M, N> C) {
    auto m = blocks(M);
    auto n = blocks(N);
    Var<f32, M, N> acc{"acc", 0.f};
    for_blocks(K, [&](auto k) { acc = acc + dot(load(A(m, k)), load(B(k, n)), K); });
    auto x = let("x", acc + load(Bias(n)));
    auto gelu = let("gelu", x * 0.5f * (1.f + tanh(0.7978845608f * (x + 0.044715f * x * x * x))));
    store(C(m, n), gelu);
  });
}

}  // namespace tilewright::test
