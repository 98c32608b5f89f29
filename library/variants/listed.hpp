// Masks that depend on data: the list of their tiles, made on the device in front of the attention.
#pragma once

#include <tilewright/compile.hpp>
#include <tilewright/library/blocks.hpp>

#include "attention/kernel.hpp"
#include "variants/recipe.hpp"

namespace tilewright::library {

/// The tiles of a request's list: those it asks for, or some that fit shared memory.
BlockListRequest listed_tile(const Request& request);

/// How the kernel that makes lists is compiled for the tiles of `parts`.
CompileRequest block_list_request(const AttentionParts& parts);

/// A list for one launch.
class MadeList {
 public:
  MadeList(const Device& device, const AttentionParts& parts, const AttentionExtents& extents);
  /// Launches the maker, which reads the tables among `all`, and adds the list to them.
  void make(const Stream& stream, std::vector<Binding>& all);
  /// What the device wrote. Waits for it.
  BlockCounts counts() const;

 private:
  BlockListPlan plan_;
  BlockListMemory memory_;
  AttentionExtents extents_;
  std::vector<ScoreTree> arguments_;
};

/// The classes that a list of `mask` has, without a device, pair by pair.
std::vector<ir::TileClass> listed_classes(const Mask& mask, const Tables& tables,
                                          const AttentionShape& shape, std::int64_t tile_q,
                                          std::int64_t tile_kv, std::int64_t batch,
                                          std::int64_t head);

}  // namespace tilewright::library
