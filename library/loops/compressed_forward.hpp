// Sparse attention by three kernels through the scores and weights of visible pairs in memory, kept
// compressed: R-SDDMM, R-softmax and R-SpMM of SPLAT (OOPSLA 2025, DOI 10.1145/3720503). A row's
// values stand side by side, [batch, q_head, q, place], as many places as the longest row has. The
// softmax is standard_weights (standard_forward.hpp) over places in the place of keys: unused
// places hold -inf.
#pragma once

#include <tilewright/dsl.hpp>

#include "loops/dimensions.hpp"

namespace tilewright::library {

inline constexpr Dim<"place"> Place;  ///< of a value in its compressed row

/// R-SDDMM: dense products of the tiles in `blocks`, tile_q rows by tile_kv keys each, whose
/// visible pairs are scattered to their places. `how` says arguments() and score(scaled, b, hq) as
/// flash_forward_of's does, place(b, hq), i32 [q, kv], -1 of a pair that is not visible, and
/// count(b, hq), i32 [q], how many of a row are.
template <DType T, DType W, typename How>
auto sddmm(How how, int tile_q, int tile_kv) {
  return kernel("sddmm", [=](In<"q", T, B, HQ, M, D> Q, In<"k", T, B, HK, N, D> K,
                             BlockList<"blocks", B, HQ, M, N> blocks_of,
                             Temp<"s", W, B, HQ, M, Place> S, Scalar<"softmax_scale", f32> scale) {
    how.arguments();
    auto b = each(B);
    auto hq = each(HQ);
    auto m = blocks(M, tile_q);
    auto hk = hq / (extent(HQ) / extent(HK));

    auto q = let("q", load(Q(b, hq, m, D)));
    for_blocks(N, blocks_of(b, hq, m).tile(tile_kv), [&](auto n) {
      auto s = how.score(dot(q, load(K(b, hk, n, D)), D) * scale, b, hq);
      store(S(b, hq, m, how.place(b, hq)), s);
    });
    auto unused = index(Place) >= how.count(b, hq);
    for_blocks(Place, unused,
               [&](auto p) { store(S(b, hq, m, p), where(unused, -infinity, 0.f)); });
  });
}

/// R-SpMM: out = P v over the same tiles, weights gathered from their places.
template <DType T, DType W, typename How>
auto spmm(How how, int tile_q, int tile_kv) {
  return kernel("spmm",
                [=](Temp<"p", W, B, HQ, M, Place> P, In<"v", T, B, HK, N, E> V,
                    BlockList<"blocks", B, HQ, M, N> blocks_of, Out<"out", T, B, HQ, M, E> O) {
                  how.arguments();
                  auto b = each(B);
                  auto hq = each(HQ);
                  auto m = blocks(M, tile_q);
                  auto hk = hq / (extent(HQ) / extent(HK));

                  Var<f32, M, E> acc{"acc", 0.f};
                  for_blocks(N, blocks_of(b, hq, m).tile(tile_kv), [&](auto n) {
                    auto p = let("weight", cast<T>(load(P(b, hq, m, how.place(b, hq)))));
                    acc = acc + dot(p, load(V(b, hk, n, E)), N);
                  });
                  store(O(b, hq, m, E), acc);
                });
}

}  // namespace tilewright::library
