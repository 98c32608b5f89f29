// A graph of tokens in CSR form, made ready for tiles (loops/flash_gathered.hpp).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tilewright::library {

struct TokenGraph {
  std::int64_t batch = 1;  ///< 1: the same graph for all sequences
  std::int64_t seqlen_q = 0, seqlen_kv = 0;
  int tile_q = 64,
      tile_kv = 64;  ///< rows and slots of a tile: multiples of 16 (slots: 32) up to 512
};

/// What flash_gathered reads: its arguments of the same names.
struct GatheredKeys {
  std::vector<std::int32_t> keys;        ///< [slots]: a key, or -1 where a tile is not filled
  std::vector<std::int32_t> bits;        ///< [slots / 32 * tile_q]
  std::vector<std::int32_t> begin, end;  ///< [batch, tiles of rows]
  std::vector<std::int32_t> tiles;       ///< ~t where not every row of the tile sees every slot
  /// Tiles that are visited: for each tile of rows, its distinct keys in tiles of tile_kv.
  std::int64_t visited() const { return static_cast<std::int64_t>(tiles.size()); }
};

/// Row q of sequence b sees the keys indices[indptr[i]] … indices[indptr[i + 1] - 1], i = b *
/// (seqlen_q + 1) + q, in any order. Throws Error{invalid_argument} naming "indptr", "indices" or a
/// field: wrong sizes, an indptr that descends or leaves `indices`, a key that is not there or
/// stands twice in a row; unsupported for 2^31 slots or more.
GatheredKeys gather_keys(const TokenGraph& graph, std::span<const std::int32_t> indptr,
                         std::span<const std::int32_t> indices);

}  // namespace tilewright::library
