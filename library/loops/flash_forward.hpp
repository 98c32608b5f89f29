// Exact attention in one pass over the keys: scores and weights never leave the chip.
// FlashAttention-2 (Dao 2023, arXiv 2307.08691), forward: one program per tile of queries.
#pragma once

#include <tilewright/dsl.hpp>

#include "loops/dimensions.hpp"

namespace tilewright::library {

/// A restriction of the keys without numbers of its own, and scores that stay as they are.
template <typename Mask>
struct PlainScores {
  Mask mask;
  void arguments() const {}
  template <typename Batch, typename Head, typename Loop>
  void visible(const Batch&, const Head&, const Loop& loop) const {
    mask(loop);
  }
  template <typename Scores, typename Batch, typename Head>
  auto score(const Scores& scaled, const Batch&, const Head&,
             const std::source_location place = std::source_location::current()) const {
    return let("s", scaled, place);
  }
  template <typename Head>
  auto softmax(const Head&,
               const std::source_location place = std::source_location::current()) const {
    return OnlineSoftmax<M, E>(place);
  }
};

/// out[b, h, q, e] and lse[b, h, q] (natural log) of the scores `how` makes of softmax_scale * q .
/// k over the keys that it shows. Query head h reads kv head h / (q_head / kv_head). `how` says
/// arguments() (declares those beyond the ones here), visible(b, hq, loop) (calls loop with the
/// predicate of a tile, or none), score(scaled, b, hq) (a value) and softmax(hq) (an OnlineSoftmax,
/// with a sink or without). What they record belongs to the line that calls them.
template <DType T, typename How>
auto flash_forward_of(How how, const char* name = "flash") {
  return kernel(name, [how](In<"q", T, B, HQ, M, D> Q, In<"k", T, B, HK, N, D> K,
                            In<"v", T, B, HK, N, E> V, Out<"out", T, B, HQ, M, E> O,
                            Out<"lse", f32, B, HQ, M> LSE, Scalar<"softmax_scale", f32> scale) {
    how.arguments();
    auto b = each(B);
    auto hq = each(HQ);
    auto m = blocks(M);
    auto hk = hq / (extent(HQ) / extent(HK));

    auto q = let("q", load(Q(b, hq, m, D)));
    auto softmax = how.softmax(hq);
    how.visible(b, hq, [&](auto... visible) {
      for_blocks(N, visible..., [&](auto n) {
        auto s = how.score(dot(q, load(K(b, hk, n, D)), D) * scale, b, hq);
        softmax.update(s, load(V(b, hk, n, E)), N);
      });
    });
    store(O(b, hq, m, E), softmax.result());
    store(LSE(b, hq, m), softmax.logsumexp());
  });
}

/// The same with a mask of loops/dimensions.hpp, or one written like them.
template <DType T, typename Mask>
auto flash_forward(Mask mask) {
  return flash_forward_of<T>(PlainScores<Mask>{mask});
}

}  // namespace tilewright::library
