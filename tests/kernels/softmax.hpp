// The softmax of rows of any length: two loops, a carried state, reductions across lanes.
#pragma once

#include <tilewright/dsl.hpp>

namespace tilewright::test {

/// y[m, n] = exp(x[m, n]) / sum over j of exp(x[m, j]), in one walk for the maximum and the sum
/// (Milakov and Gimelshein 2018, arXiv 1805.02867) and one to write.
inline auto softmax() {
  constexpr Dim<"row"> M;
  constexpr Dim<"column"> N;
  return kernel("softmax", [=](In<"x", f32, M, N> X, Out<"y", f32, M, N> Y) {
    auto m = blocks(M);
    Var<f32, M> row_max{"row_max", -infinity};
    Var<f32, M> row_sum{"row_sum", 0.f};
    for_blocks(N, [&](auto n) {
      auto t = let("t", load(X(m, n)) * log2_e);
      auto m_new = let("m_new", max(row_max, reduce_max(t, N)));
      auto alpha = let("alpha", exp2_safe(row_max, m_new));
      row_sum = row_sum * alpha + reduce_sum(exp2_safe(t, m_new), N);
      row_max = m_new;
    });
    for_blocks(N,
               [&](auto n) { store(Y(m, n), exp2(load(X(m, n)) * log2_e - row_max) / row_sum); });
  });
}

}  // namespace tilewright::test
