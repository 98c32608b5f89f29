// Exact attention in one pass over the keys: scores and weights never leave the chip.
// FlashAttention-2 (Dao 2023, arXiv 2307.08691), forward: one program per tile of queries.
#pragma once

#include <tilewright/dsl.hpp>

#include "loops/dimensions.hpp"

namespace tilewright::library {

/// out[b, h, q, e] and lse[b, h, q] (natural log) of softmax_scale * q . k over the keys that
/// `mask` shows (a callable that gives the predicate of a tile). Query head h reads kv head h /
/// (q_head / kv_head).
template <DType T, typename Mask>
auto flash_forward(Mask mask) {
  return kernel("flash", [mask](In<"q", T, B, HQ, M, D> Q, In<"k", T, B, HK, N, D> K,
                                In<"v", T, B, HK, N, E> V, Out<"out", T, B, HQ, M, E> O,
                                Out<"lse", f32, B, HQ, M> LSE, Scalar<"softmax_scale", f32> scale) {
    auto b = each(B);
    auto hq = each(HQ);
    auto m = blocks(M);
    auto hk = hq / (extent(HQ) / extent(HK));

    auto q = let("q", load(Q(b, hq, m, D)));
    OnlineSoftmax<M, E> softmax;
    mask([&](auto... visible) {
      for_blocks(N, visible..., [&](auto n) {
        auto s = let("s", dot(q, load(K(b, hk, n, D)), D) * scale);
        softmax.update(s, load(V(b, hk, n, E)), N);
      });
    });
    store(O(b, hq, m, E), softmax.result());
    store(LSE(b, hq, m), softmax.logsumexp());
  });
}

}  // namespace tilewright::library
