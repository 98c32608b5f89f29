// Rows of a table, picked by number, times a matrix: an embedding, or the tokens of one expert.
#pragma once

#include <tilewright/dsl.hpp>

namespace tilewright::test {

/// c[m, n] = sum over k of a[pick[m], k] b[k, n]; a number outside the table picks a row of zeros.
inline auto gather_matmul() {
  constexpr Dim<"m"> M;
  constexpr Dim<"n"> N;
  constexpr Dim<"k"> K;
  constexpr Dim<"row"> R;
  return kernel("gather_matmul", [=](In<"pick", i32, M> Pick, In<"a", bf16, R, K> A,
                                     In<"b", bf16, K, N> B, Out<"c", f32, M, N> C) {
    auto m = blocks(M);
    auto n = blocks(N);
    auto rows = let("rows", load(Pick(m)));
    Var<f32, M, N> acc{"acc", 0.f};
    for_blocks(K, [&](auto k) { acc = acc + dot(load(A(rows, k)), load(B(k, n)), K); });
    store(C(m, n), acc);
  });
}

}  // namespace tilewright::test
