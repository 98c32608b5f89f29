// flash_forward over rows and keys regrouped by residue: what every stride-th key alone is seen of
// (strided and dilated masks) becomes dense. The tensors are views: row `residue + stride * q` of
// the caller's memory is row q of the residue, so tiles hold neighbours of one residue and nothing
// is copied. SPLAT's regrouping of rows by stride and phase (OOPSLA 2025, DOI 10.1145/3720503),
// taken to tiles.
#pragma once

#include "loops/dimensions.hpp"

namespace tilewright::library {

inline constexpr Dim<"residue"> R;

/// out[b, h, r, q, e] and lse[b, h, r, q] of the scores `how` makes, as flash_forward_of; `how` is
/// told of the residue by within(r).
template <DType T, typename How>
auto flash_regrouped_of(How how) {
  return kernel("flash_regrouped",
                [how](In<"q", T, B, HQ, R, M, D> Q, In<"k", T, B, HK, R, N, D> K,
                      In<"v", T, B, HK, R, N, E> V, Out<"out", T, B, HQ, R, M, E> O,
                      Out<"lse", f32, B, HQ, R, M> LSE, Scalar<"softmax_scale", f32> scale) {
                  how.arguments();
                  auto b = each(B);
                  auto hq = each(HQ);
                  auto r = each(R);
                  auto m = blocks(M);
                  auto hk = hq / (extent(HQ) / extent(HK));
                  const auto here = how.within(r);

                  auto q = let("q", load(Q(b, hq, r, m, D)));
                  auto softmax = here.softmax(hq);
                  here.visible(b, hq, [&](auto... visible) {
                    for_blocks(N, visible..., [&](auto n) {
                      auto s = here.score(dot(q, load(K(b, hk, r, n, D)), D) * scale, b, hq);
                      softmax.update(s, load(V(b, hk, r, n, E)), N);
                    });
                  });
                  store(O(b, hq, r, m, E), softmax.result());
                  store(LSE(b, hq, r, m), softmax.logsumexp());
                });
}

}  // namespace tilewright::library
