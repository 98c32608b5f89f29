// What a block list must be for the launch it is given to, in the caller's words.
#pragma once

#include <cstdint>
#include <tilewright/library/attention.hpp>
#include <tilewright/library/blocks.hpp>

namespace tilewright::library {

/// Throws Error{invalid_argument} naming block_q or block_kv, as `name` says.
void check_block_size(const char* name, int size);

/// Throws Error naming the field of the shape. Returns how many tiles there are in all.
std::int64_t check(const BlockMaskShape& shape);

inline constexpr std::int64_t tiles_in(std::int64_t length, std::int64_t tile) {
  return length / tile + (length % tile != 0);
}

/// A list as the kernels that walk or fill one take it.
void bind(BlockListTensors list, std::vector<Binding>& arguments);

/// Throws Error naming "blocks.begin", "blocks.end", "blocks.tiles" or a field of the list:
/// invalid_argument where a tensor is missing, shape_mismatch where the list is for tiles of
/// another size, other lengths, sequences or heads. `written`: a kernel fills the list.
void check(const BlockListTensors& list, const BlockMaskShape& wanted, bool written);

/// The same for an attention whose tiles have so many rows and keys; 0: it walks no list, and may
/// be given none.
void check(const AttentionExtents& extents, const BlockListTensors& list, int block_q,
           int block_kv);

}  // namespace tilewright::library
