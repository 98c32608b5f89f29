// Exact attention over a graph of tokens: each row sees the keys that a list of its own names. Rows
// are taken in tiles; the keys that any row of a tile sees are gathered into tiles of their own,
// and a bit says which row sees which (Fused3S, Li and Chandramowlishwaran 2025, arXiv 2505.08098).
#pragma once

#include <tilewright/dsl.hpp>

#include "loops/dimensions.hpp"

namespace tilewright::library {

/// out and lse as flash_forward_of has them, over the keys of each row's list that `how` shows.
/// Slot s is key graph_keys[s] (-1: none), and row q sees it where bit s % 32 of graph_bits[s / 32
/// * tile_q + q % tile_q] is set; `graph` names the tiles of tile_kv slots that belong to a tile of
/// tile_q rows, for each sequence and query head. tilewright/library/token_graph.hpp makes all of
/// it. A mask is asked in every tile: what the list calls full is so of the graph alone.
template <DType T, typename How>
auto flash_gathered_of(How how, int tile_q, int tile_kv) {
  return kernel("flash_gathered", [=](In<"q", T, B, HQ, M, D> Q, In<"k", T, B, HK, N, D> K,
                                      In<"v", T, B, HK, N, E> V, In<"graph_keys", i32, Slot> Keys,
                                      In<"graph_bits", i32, Word> Bits,
                                      BlockList<"graph", B, HQ, M, Slot> slots_of,
                                      Out<"out", T, B, HQ, M, E> O, Out<"lse", f32, B, HQ, M> LSE,
                                      Scalar<"softmax_scale", f32> scale) {
    how.arguments();
    auto b = each(B);
    auto hq = each(HQ);
    auto m = blocks(M, tile_q);
    auto hk = hq / (extent(HQ) / extent(HK));

    auto q = let("q", load(Q(b, hq, m, D)));
    auto seen = load(Bits(index(Slot) / 32 * tile_q + index(M) % tile_q)) >> index(Slot) % 32 & 1;
    auto softmax = how.softmax(hq);
    for_blocks(Slot, slots_of(b, hq, m).tile(tile_kv), seen == 1, [&](auto slot) {
      auto key = let("key", load(Keys(slot)));
      auto s = how.over(key).score(dot(q, load(K(b, hk, key, D)), D) * scale, b, hq);
      softmax.update(s, load(V(b, hk, key, E)), Slot);
    });
    store(O(b, hq, m, E), softmax.result());
    store(LSE(b, hq, m), softmax.logsumexp());
  });
}

}  // namespace tilewright::library
