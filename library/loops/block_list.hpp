// A block list made on the device from a predicate: which tiles hold a visible pair, and in which
// of them some pair is hidden. One program per row of the list looks at its tiles one after
// another, so nothing of the size of the scores is written, and a graph can capture the launch.
//
// Each row has room for all tiles: where it ends depends on the data, where it begins does not, so
// no row waits for the rows before it and no second kernel sums their lengths. The price is memory
// for every tile instead of every listed one: a 4096th part of the scores' for tiles of 64 by 64.
#pragma once

#include <tilewright/dsl.hpp>

#include "loops/dimensions.hpp"

namespace tilewright::library {

inline constexpr Dim<"blocks_rows"> ListRows;        ///< tiles of rows
inline constexpr Dim<"blocks_entries"> ListEntries;  ///< room for all tiles of all rows
inline constexpr Dim<"block_q"> BlockQ;              ///< elements of a tile, bound at compile
inline constexpr Dim<"block_kv"> BlockKV;

/// begin, end and tiles of a BlockList<"blocks", B, HQ, M, N>: the tiles of BlockQ rows and BlockKV
/// keys in which `predicate` shows something, from the first on, as ~number where it also hides
/// something. Pairs past seqlen_q or seqlen_kv count as neither. `predicate` says arguments()
/// (declares those beyond the ones here) and visible(b, hq, q, k, seqlen_q, seqlen_kv): b1 [BlockQ,
/// BlockKV] for the i32 indices q [BlockQ] and k [BlockKV], some of which are past the end.
template <typename Predicate>
auto block_list_of(Predicate predicate) {
  return kernel("block_list", [predicate](Out<"blocks_begin", i32, B, HQ, ListRows> Begin,
                                          Out<"blocks_end", i32, B, HQ, ListRows> End,
                                          Out<"blocks_tiles", i32, ListEntries> Tiles,
                                          Scalar<"seqlen_q", i32> seqlen_q,
                                          Scalar<"seqlen_kv", i32> seqlen_kv) {
    predicate.arguments();
    auto b = each(B);
    auto hq = each(HQ);
    auto row = each(ListRows);
    auto columns = let("columns", (seqlen_kv + (extent(BlockKV) - 1)) / extent(BlockKV));
    auto begin = let("begin", ((b * extent(HQ) + hq) * extent(ListRows) + row) * columns);
    auto rows_left = let("rows_left", seqlen_q - row * extent(BlockQ));
    auto q = let("q", row * extent(BlockQ) + iota(BlockQ));

    Var<i32> listed{"listed", 0};
    for_range(columns, [&](auto column) {
      auto keys_left = let("keys_left", seqlen_kv - column * extent(BlockKV));
      auto k = let("k", column * extent(BlockKV) + iota(BlockKV));
      auto inside = q < seqlen_q && k < seqlen_kv;
      auto shown = inside && predicate.visible(b, hq, q, k, seqlen_q, seqlen_kv);
      auto pairs = let("pairs", reduce_sum(reduce_sum(where(shown, 1, 0), BlockKV), BlockQ));
      when(pairs > 0, [&] {
        auto all = min(rows_left, extent(BlockQ)) * min(keys_left, extent(BlockKV));
        store(Tiles(begin + listed), where(pairs == all, column, ~column));
        listed = listed + 1;
      });
    });
    store(Begin(b, hq, row), begin);
    store(End(b, hq, row), begin + listed);
  });
}

}  // namespace tilewright::library
