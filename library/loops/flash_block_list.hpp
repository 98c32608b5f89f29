// Exact attention in one pass over the tiles that a list names: block-sparse FlashAttention (Dao et
// al. 2022, arXiv 2205.14135, section 3.3), with a list of its own for each head or shared ones.
#pragma once

#include <tilewright/dsl.hpp>

#include "loops/dimensions.hpp"
#include "loops/flash_forward.hpp"

namespace tilewright::library {

/// What flash_forward_of computes, over the pairs of the tiles in `blocks` (tile_q rows by tile_kv
/// keys each) that `how` shows. In tiles marked as full `how` is not asked which keys it shows. A
/// row of queries without a tile gives 0 and -inf.
template <DType T, typename How>
auto flash_block_list_of(How how, int tile_q, int tile_kv) {
  return kernel("flash_block_list",
                [=](In<"q", T, B, HQ, M, D> Q, In<"k", T, B, HK, N, D> K, In<"v", T, B, HK, N, E> V,
                    BlockList<"blocks", B, HQ, M, N> blocks_of, Out<"out", T, B, HQ, M, E> O,
                    Out<"lse", f32, B, HQ, M> LSE, Scalar<"softmax_scale", f32> scale) {
                  how.arguments();
                  auto b = each(B);
                  auto hq = each(HQ);
                  auto m = blocks(M, tile_q);
                  auto hk = hq / (extent(HQ) / extent(HK));

                  auto q = let("q", load(Q(b, hq, m, D)));
                  auto softmax = how.softmax(hq);
                  how.visible(b, hq, [&](auto... visible) {
                    for_blocks(N, blocks_of(b, hq, m).tile(tile_kv), visible..., [&](auto n) {
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
auto flash_block_list(Mask mask, int tile_q, int tile_kv) {
  return flash_block_list_of<T>(PlainScores<Mask>{mask}, tile_q, tile_kv);
}

}  // namespace tilewright::library
