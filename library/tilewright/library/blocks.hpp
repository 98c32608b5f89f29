// Block-sparse attention: for each tile of rows the tiles of keys to visit, which data decides.
//
//   const auto mask = BlockMask::from_csr({.rows = 32, .columns = 32}, indptr, indices);
//   const BlockListMemory list(device, mask);
//   auto plan = Attention{}.blocks(64, 64).compile(device, {.head_dim = 128});
//   plan.launch(stream, {.q = q, .k = k, .v = v, .out = out, .blocks = list.tensors(batch,
//   heads)});
//
// Or the device makes the list, from a mask that reads tables, in the same stream:
//
//   auto make = compile_block_list(device, mask, {.block_q = 64, .block_kv = 64});
//   BlockListMemory list(device, make.shape(extents));
//   make.launch(stream, list.tensors(batch, heads), extents, {.tables = {{"document", document}}});
//   auto plan = Attention{}.mask(mask).blocks(64, 64).compile(device, {.head_dim = 128});
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <tilewright/arguments.hpp>
#include <tilewright/library/attention.hpp>
#include <tilewright/library/mask.hpp>
#include <utility>
#include <vector>

namespace tilewright {

/// How many lists there are, how long, and of what tiles.
struct BlockMaskShape {
  std::int64_t batch = 1;    ///< 1: the same for all sequences
  std::int64_t heads = 1;    ///< 1: the same for all query heads
  std::int64_t rows = 0;     ///< tiles of rows, the last may be ragged
  std::int64_t columns = 0;  ///< tiles of keys
  int block_q = 64;          ///< rows of a tile: a multiple of 16 up to 512
  int block_kv = 64;         ///< keys of a tile: the same
};

/// The tiles to visit, on the host, checked. The order of a row's tiles is the order in which they
/// are visited; it changes the result in its last bits only.
class BlockMask {
 public:
  /// In CSR form: row r of list (b, h) names the tiles indices[indptr[i]] … indices[indptr[i + 1] -
  /// 1] with i = (b * heads + h) * (rows + 1) + r; indptr is [batch, heads, rows + 1]. `cut[j]` is
  /// 0 where an attention's mask shows all pairs of the tile indices[j] (it is not asked there),
  /// else 1; without `cut` every tile is taken to be cut, which is right for every mask. Throws
  /// Error naming "indptr", "indices", "cut" or the field of the shape: invalid_argument for wrong
  /// sizes, an indptr that descends or leaves `indices`, an index that is not there, a tile named
  /// twice in a row.
  static BlockMask from_csr(const BlockMaskShape& shape, std::span<const std::int32_t> indptr,
                            std::span<const std::int32_t> indices,
                            std::span<const std::uint8_t> cut = {});
  /// Where `visited` [batch, heads, rows, columns] is not 0; every tile is taken to be cut.
  static BlockMask from_dense(const BlockMaskShape& shape, std::span<const std::uint8_t> visited);

  const BlockMaskShape& shape() const { return shape_; }
  /// [batch, heads, rows]: the entries of a row are those from begin up to the one before end.
  const std::vector<std::int32_t>& begin() const { return begin_; }
  const std::vector<std::int32_t>& end() const { return end_; }
  /// A tile's number, or ~number where it is cut.
  const std::vector<std::int32_t>& tiles() const { return tiles_; }

  /// Tiles that are visited, over all lists of this mask.
  std::int64_t visited() const;
  bool visits(std::int64_t batch, std::int64_t head, std::int64_t row, std::int64_t column) const;

 private:
  BlockMaskShape shape_;
  std::vector<std::int32_t> begin_, end_, tiles_;
};

/// A list in device memory, for one attention after the other.
class BlockListMemory {
 public:
  /// Copies `mask` there.
  BlockListMemory(const Device& device, const BlockMask& mask);
  /// Room for every tile of `shape`: for a BlockListPlan to fill.
  BlockListMemory(const Device& device, const BlockMaskShape& shape);

  /// As a launch takes it; lists that are shared get a stride of 0. Throws Error{shape_mismatch}
  /// where the list is for another number of sequences or heads.
  BlockListTensors tensors(std::int64_t batch, std::int64_t heads) const;
  const BlockMaskShape& shape() const { return shape_; }
  const Buffer& buffer() const { return buffer_; }

 private:
  BlockMaskShape shape_;
  std::int64_t entries_ = 0;
  Buffer buffer_;
};

/// The tiles of the lists that a device makes.
struct BlockListRequest {
  int block_q = 64, block_kv = 64;
};

/// Numbers and tables of the mask, as in AttentionTensors.
struct BlockListArguments {
  std::vector<std::pair<std::string, double>> numbers = {};
  std::vector<std::pair<std::string, TensorView>> tables = {};
};

/// A compiled and loaded maker of lists: a value whose copies share what was loaded.
class BlockListPlan {
 public:
  /// Writes the list of the tiles in which the mask shows something, those in which it also hides
  /// something marked as cut, into `list`, whose begin says for how many sequences and heads. For
  /// fewer than all heads only where the mask does not ask for them. Nothing waits for the device,
  /// so a CUDA graph can capture it with the attention that follows. Throws Error naming the
  /// tensor, number or table.
  void launch(const Stream& stream, const BlockListTensors& list, const AttentionExtents& extents,
              const BlockListArguments& arguments = {}) const;

  /// What a list for these extents is like, for all its sequences and heads. Throws
  /// Error{unsupported} for 2^31 tiles or more.
  BlockMaskShape shape(const AttentionExtents& extents) const;

  const Device& device() const;
  std::string cuda_source() const;

 private:
  friend BlockListPlan compile_block_list(const Device& device, const Mask& mask,
                                          const BlockListRequest& request);
  struct State;
  explicit BlockListPlan(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// Compiles (or finds in the cache) and loads. Throws Error naming "block_q" or "block_kv"; missing
/// without NVRTC.
BlockListPlan compile_block_list(const Device& device, const Mask& mask,
                                 const BlockListRequest& request = {});

}  // namespace tilewright
