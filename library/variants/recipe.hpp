// A variant in one file: what is to be compiled, said in the algebra of masks and scores, and
// beside it the same formula written plainly, which the reference of `--check` is computed from.
//
//   VariantEntry sliding_window() {
//     return variant({.origin = "…", .summary = "…", .mask = "p - left <= k <= p + right",
//                     .options = {{"--window-left", "127", "keys before the row's own"}},
//                     .compose = [](const Problem& at) -> Composition { … }});
//   }
//
// A file of bundled/ defines the function of its own name; nothing else has to know of it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tilewright/library/acsr.hpp>
#include <tilewright/library/blocks.hpp>
#include <tilewright/library/rope.hpp>
#include <tilewright/library/score.hpp>
#include <tilewright/library/sinusoidal.hpp>
#include <vector>

#include "scores/evaluate.hpp"
#include "variants/mask_file.hpp"
#include "variants/variant.hpp"

namespace tilewright::library {

/// What a composition is made for: the shape, the seed, and the variant's options, read as numbers.
class Problem {
 public:
  explicit Problem(const Request& request)
      : shape(request.shape), seed(request.seed), options_(request.options) {}

  const AttentionShape& shape;
  std::uint64_t seed;

  /// Each throws Error{invalid_argument} naming the option, its value and what is allowed.
  int integer(const char* option, int lowest, int highest = 1 << 30) const;
  double real(const char* option) const;
  /// "a,b,c"; the empty text is no number.
  std::vector<int> integers(const char* option, int lowest, int highest = 1 << 30) const;
  /// "HxW", each at least 1.
  std::pair<int, int> grid(const char* option) const;
  /// The place of the option's value among `words`.
  std::size_t choice(const char* option, std::vector<std::string_view> words) const;
  bool flag(const char* option) const;
  /// Of a file, or nothing where it is not given: the empty text.
  std::optional<MaskFile> file(const char* option) const;
  /// Throws Error{shape_mismatch} unless the option has as many numbers as `wanted`.
  void require_one_each(const char* option, std::size_t numbers, std::int64_t wanted) const;
  /// Throws Error{unsupported} where a table of these extents has more than 2^27 numbers.
  void require_table(const char* option, std::initializer_list<std::int64_t> extents) const;

  /// `count` normal numbers of the seed; `stream` tells one use from another.
  std::vector<double> normals(std::uint32_t stream, std::int64_t count) const;

 private:
  const std::string& text(const char* option) const;
  const std::map<std::string, std::string>& options_;
};

using Tables = std::map<std::string, HostTable>;

/// A table of one extent.
template <typename Number>
HostTable host_table(const std::vector<Number>& numbers) {
  return {{static_cast<std::int64_t>(numbers.size())}, {numbers.begin(), numbers.end()}};
}

template <typename Number>
HostTable host_table(const std::vector<Number>& numbers, std::vector<std::int64_t> extents) {
  return {std::move(extents), {numbers.begin(), numbers.end()}};
}

/// [heads, rows, columns] of 0 and 1, for block_matrix.
HostTable host_table(const BlockMask& blocks);

/// An option for masks that show every stride-th key: whether rows and keys are regrouped by
/// residue (attention/regroup.hpp). What auto compares with is the tiles within bounds, also where
/// those that are visited otherwise are listed.
inline constexpr const char* regroup_option = "--regroup";
inline constexpr OptionHelp regroup_help{
    regroup_option, "auto",
    "rows and keys by residue, in dense tiles: on, off, or auto: where that visits fewer tiles",
    false, "HOW"};

/// An option for masks that a file can give.
inline constexpr const char* mask_option = "--mask";

/// The keys that each row sees, one by one, in CSR form: indptr [batch, heads, seqlen_q + 1], the
/// same for all where batch or heads are 1.
struct KeyLists {
  std::int64_t batch = 1, heads = 1;
  std::vector<std::int32_t> indptr, indices;
};

/// Softcaps come before biases, in whatever order variants are named.
enum class ScoreOrder { cap, bias };

struct Composition {
  // What is compiled, and the tables that its launch is given.
  Mask mask = {};
  ScoreMod score_mod = {};
  Tables tables = {};
  /// The mask depends on data: which tiles it shows is listed on the device, before the launch.
  bool by_list = false;
  /// Bounds that the compiler reads off the mask hold tiles that it does not show: listed too,
  /// unless rows and keys are regrouped by residue (regroup_option) or turned (rope).
  bool has_loose_bounds = false;
  /// The mask is this, and the values of the pairs it shows are kept in memory, compressed: three
  /// kernels (attention/compressed.hpp). Composed with score functions and causal, no more.
  std::optional<Acsr> compressed = {};
  /// Rows see keys that no formula says: they are gathered for each tile of rows.
  std::optional<KeyLists> graph = {};
  // The same, plainly.
  Visible visible = {};  ///< empty: every pair
  Scored scored = {};    ///< empty: as it is
  // Both.
  std::vector<float> sinks = {};  ///< per query head, or empty
  /// Rows that the mask is not asked for; they see what the other parts show.
  std::optional<OwnRows> global = {};
  /// Queries and keys are turned by their positions; the tables rope_cos and rope_sin are the
  /// launch's, query and key say the same plainly.
  std::optional<Rope> rope = {};
  RowTransform query = {}, key = {};
  /// Sinusoidal positions are added to queries and keys before the launch; query and key say so
  /// too.
  std::optional<SinusoidalLayout> positions = {};
  ScoreOrder order = ScoreOrder::bias;
  /// Bounds of sequences packed one after the other, among rows and keys; or empty. Positions, of
  /// all that is composed, are then those within a sequence, and so are Pair::p.
  std::vector<std::int32_t> cu_seqlens_q = {}, cu_seqlens_k = {};
};

struct Recipe {
  std::string origin;
  std::string summary;
  std::string mask;
  std::vector<OptionHelp> options = {};
  std::vector<std::string> cases = {};
  /// Where the options decide extents: sets them in `shape`. Empty: they don't.
  std::function<void(const Problem& at, AttentionShape& shape)> shape = {};
  /// Throws Error{invalid_argument} naming the option that makes no sense for the shape.
  std::function<Composition(const Problem& at)> compose;
};

/// Attention in one pass, composed as the recipe says.
VariantEntry variant(Recipe recipe);

/// One of several at once: masks are met with "and", score functions follow one another, softcaps
/// first. Each must have a recipe.
VariantEntry composed(const std::vector<const VariantEntry*>& parts);

}  // namespace tilewright::library
