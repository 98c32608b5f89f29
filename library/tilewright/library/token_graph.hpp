// Attention over a graph of tokens: each row sees the keys that a list of its own names, one by
// one.
//
//   const auto graph = TokenGraph::from_csr({.seqlen_q = 1000, .seqlen_kv = 1000}, indptr,
//   indices);
//   const TokenGraphMemory memory(device, graph);
//   auto plan = Attention{}.graph(64, 64).compile(device, {.head_dim = 128});
//   plan.launch(stream, {.q = q, .k = k, .v = v, .out = out, .graph = memory.tensors(batch,
//   heads)});
//
// Rows are taken in tiles. The keys that any row of a tile sees are gathered into tiles of their
// own, and a bit says which row sees which (Fused3S, Li and Chandramowlishwaran 2025, arXiv
// 2505.08098).
#pragma once

#include <cstdint>
#include <span>
#include <tilewright/arguments.hpp>
#include <tilewright/library/attention.hpp>
#include <vector>

namespace tilewright {

/// How many graphs there are, of how many rows and keys, and for tiles of what size.
struct TokenGraphShape {
  std::int64_t batch = 1;  ///< 1: the same for all sequences
  std::int64_t heads = 1;  ///< 1: the same for all query heads
  std::int64_t seqlen_q = 0, seqlen_kv = 0;
  int tile_q = 64;   ///< rows of a tile: a multiple of 16 up to 512
  int tile_kv = 64;  ///< gathered keys of a tile: a multiple of 32 up to 512
};

/// On the host, checked and gathered. Memory and time are of the size of the graph.
class TokenGraph {
 public:
  /// Row q of list l = b * heads + h sees the keys indices[indptr[i]] … indices[indptr[i + 1] - 1],
  /// i = l * (seqlen_q + 1) + q, in any order; indptr is [batch, heads, seqlen_q + 1]. Throws Error
  /// naming "indptr", "indices" or the field of the shape: invalid_argument for wrong sizes, an
  /// indptr that descends or leaves `indices`, a key that is not there or stands twice in a row;
  /// unsupported where more keys are gathered than 32 bits number.
  static TokenGraph from_csr(const TokenGraphShape& shape, std::span<const std::int32_t> indptr,
                             std::span<const std::int32_t> indices);

  const TokenGraphShape& shape() const { return shape_; }
  /// [slots]: the gathered keys of one tile of rows after another; -1 fills the last tile of each.
  const std::vector<std::int32_t>& keys() const { return keys_; }
  /// [slots / 32 * tile_q]: row r of its tile sees slot s where bit s % 32 of bits[s / 32 * tile_q
  /// + r] is set.
  const std::vector<std::int32_t>& bits() const { return bits_; }
  /// [batch, heads, tiles of rows]: the entries of `tiles` from begin up to the one before end.
  const std::vector<std::int32_t>& begin() const { return begin_; }
  const std::vector<std::int32_t>& end() const { return end_; }
  /// Tiles of tile_kv slots: a tile's number, or ~number where not every row sees every slot.
  const std::vector<std::int32_t>& tiles() const { return tiles_; }
  /// Tiles that are visited, over all lists: of each tile of rows its distinct keys / tile_kv.
  std::int64_t visited() const { return static_cast<std::int64_t>(tiles_.size()); }

 private:
  TokenGraphShape shape_;
  std::vector<std::int32_t> keys_, bits_, begin_, end_, tiles_;
};

/// A graph in device memory, for one attention after the other.
class TokenGraphMemory {
 public:
  TokenGraphMemory(const Device& device, const TokenGraph& graph);

  /// As a launch takes it; graphs that are shared get a stride of 0. Throws Error{shape_mismatch}
  /// where there is one for another number of sequences or heads.
  TokenGraphTensors tensors(std::int64_t batch, std::int64_t heads) const;
  const TokenGraphShape& shape() const { return shape_; }

 private:
  TokenGraphShape shape_;
  std::int64_t tiles_ = 0, slots_ = 0;
  Buffer buffer_;
};

}  // namespace tilewright
