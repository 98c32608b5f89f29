// What a block list must be for the launch it is given to, in the caller's words.
#pragma once

#include <cstdint>
#include <string>
#include <tilewright/library/attention.hpp>
#include <tilewright/library/blocks.hpp>

namespace tilewright::library {

/// Throws Error{invalid_argument} naming block_q or block_kv, as `name` says.
void check_block_size(const char* name, int size);
/// The same of tile_q and tile_kv of a graph, whose gathered keys come in words of bits.
void check_graph_tiles(int tile_q, int tile_kv);

/// Throws Error naming the field of the shape. Returns how many tiles there are in all.
std::int64_t check(const BlockMaskShape& shape);

inline constexpr std::int64_t tiles_in(std::int64_t length, std::int64_t tile) {
  return length / tile + (length % tile != 0);
}

/// Which of lists for `batch` sequences and `heads` query heads, 1 where all share one, is that of
/// sequence b and head h.
inline constexpr std::int64_t list_of(std::int64_t batch, std::int64_t heads, std::int64_t b,
                                      std::int64_t h) {
  return (batch == 1 ? 0 : b) * heads + (heads == 1 ? 0 : h);
}

/// A list as the kernels that walk or fill one take it.
void bind(BlockListTensors list, std::vector<Binding>& arguments);

/// A list in memory from `address` on: begin, end, and so many entries. Throws Error as
/// BlockListMemory::tensors.
BlockListTensors list_tensors(CUdeviceptr address, const BlockMaskShape& shape,
                              std::int64_t entries, std::int64_t batch, std::int64_t heads);

/// Throws Error naming "blocks.begin", "blocks.end", "blocks.tiles" or a field of the list:
/// invalid_argument where a tensor is missing, shape_mismatch where the list is for tiles of
/// another size, other lengths, sequences or heads. `written`: a kernel fills the list. `name`: who
/// the list belongs to.
void check(const BlockListTensors& list, const BlockMaskShape& wanted, bool written,
           const std::string& name = "blocks");

/// The same for an attention whose tiles have so many rows and keys; 0: it walks no list, and may
/// be given none.
void check(const AttentionExtents& extents, const BlockListTensors& list, int block_q,
           int block_kv);

/// The graph of a launch, for tiles of so many rows and gathered keys; 0: it takes none. Throws
/// Error naming "graph" and the tensor or field, as for a list.
void check(const AttentionExtents& extents, const TokenGraphTensors& graph, int tile_q,
           int tile_kv);
void bind(TokenGraphTensors graph, std::vector<Binding>& arguments);

}  // namespace tilewright::library
