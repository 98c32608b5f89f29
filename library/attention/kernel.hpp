// The kernel behind an Attention, and what follows from it: the one place where the builder and the
// variant `flash` of the command meet the language.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <tilewright/compile.hpp>
#include <tilewright/library/attention.hpp>
#include <tilewright/library/rope.hpp>

#include "ir/domain.hpp"
#include "scores/evaluate.hpp"
#include "variants/variant.hpp"

namespace tilewright::library {

/// Rotary positions with the request's numbers filled in.
struct RopePart {
  RopePairing pairing = RopePairing::half;
  std::int64_t dim = 0;  ///< never 0
  std::int64_t head_dim = 0;
  bool positions_given = false;
};

/// What an attention is composed of.
struct AttentionParts {
  Mask mask;
  ScoreMod score_mod;
  bool has_sinks = false;         ///< one for each query head, in a table of the launch
  bool is_regrouped = false;      ///< rows and keys are those of a residue (regroup.hpp)
  std::string row_range = {};     ///< not empty: for some of the rows, of that name (row_range.hpp)
  int block_q = 0, block_kv = 0;  ///< of the tiles that a list of the launch names; 0: no list
  int graph_q = 0, graph_kv = 0;  ///< of rows and gathered keys of a graph; 0: no graph
  std::optional<RopePart> rope = {};

  /// Whether the launch says which tiles are visited.
  bool follows_list() const { return block_q != 0 || graph_q != 0; }
  ScoreTree sink() const;  ///< null: none
  /// Of which the numbers and tables of the launch are gathered.
  std::vector<ScoreTree> trees() const;
};
inline constexpr const char* sinks_table = "sinks";

/// Null for an element type without a kernel: each caller refuses it in its own words.
std::unique_ptr<KernelSource> attention_kernel(const AttentionParts& parts, DType dtype);
/// Fills in what depends on the head. Throws Error{invalid_argument} naming "rope.dim" where it is
/// odd or more than the head has.
RopePart rope_part(const Rope& rope, std::int64_t head_dim);
inline constexpr const char* attention_dtypes = "bf16, f16, f32";

/// Of compile_block_list.
std::shared_ptr<const KernelSource> block_list_kernel(const Mask& mask);

/// attention_kernel of parts with rotary positions.
struct ComposedScores;
std::unique_ptr<KernelSource> rope_kernel(const ComposedScores& scores, const RopePart& rope,
                                          DType dtype);

/// Extents by the names of the kernel's dimensions.
Extents kernel_extents(const AttentionExtents& extents, std::int64_t head_dim,
                       std::int64_t value_dim);
inline AttentionExtents extents_of(const AttentionShape& s) {
  return {s.batch, s.heads, s.kv_heads, s.seqlen_q, s.seqlen_kv};
}
inline Extents kernel_extents(const AttentionShape& shape) {
  return kernel_extents(extents_of(shape), shape.head_dim, shape.value_dim);
}

/// Tiles of `program`'s loop over the keys by class, summed over sequences and query heads; for a
/// mask with numbers of its own, those given and else their defaults. Nothing where the bounds are
/// read from a table that is not among `tables`. Counted from the domain that the kernel's loop is
/// made from; nothing either where a list says it. Throws Error for a table whose extents disagree
/// with `extents`.
std::optional<BlockCounts> count_blocks(const Program& program, const Mask& mask,
                                        const Extents& extents,
                                        const std::map<std::string, double>& numbers = {},
                                        const std::map<std::string, HostTable>& tables = {});

/// The class of every tile at one place of the grid (a number for each of its dimensions but the
/// rows: batch, q_head), [tiles of rows, tiles of keys],
/// row-major. Throws Error for a table that is missing or has other extents.
std::vector<ir::TileClass> tile_classes(const Program& program, const Mask& mask,
                                        const Extents& extents,
                                        const std::map<std::string, double>& numbers,
                                        const std::map<std::string, HostTable>& tables,
                                        const std::map<std::string, std::int64_t>& at);

}  // namespace tilewright::library
