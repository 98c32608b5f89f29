// Masks whose rows see every stride-th key: found in the expression, and taken apart. A mask
// "(q - k + c) % stride == d && rest" shows row q keys of one residue alone, so rows and keys are
// regrouped by residue and `rest` is asked over dense tiles (loops/flash_regrouped.hpp). Where all
// rows see keys of one and the same residue, "(k + c) % stride == d && rest", rows stay as they
// are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "attention/kernel.hpp"

namespace tilewright::library {

struct Regrouping {
  std::int64_t stride = 1;
  ScoreTree distance;  ///< keys of row q: those where distance(q, k) % stride == remainder …
  std::int64_t remainder = 0;
  bool falls = true;            ///< … and distance falls by one from key to key, or grows
  std::int64_t row_stride = 1;  ///< of the rows that see the same keys' residue: stride or 1
  AttentionParts parts;         ///< the rest, in rows and keys of one residue
};

/// Nothing where the mask asks for no residue, or for one that depends on more than row and key.
/// The parts have numbers of their own (ResidueRange::numbers). Throws Error{invalid_argument}
/// where numbers or tables of `parts` have their names.
std::optional<Regrouping> regrouping_of(const AttentionParts& parts);

/// The same for one who asks for it. Throws Error naming what has no regrouping: "mask"
/// (invalid_argument), "regrouped" (unsupported: over a list, with rotary positions).
Regrouping required_regrouping(const AttentionParts& parts);

/// Residues that one launch takes at a time: as many rows each, as many keys each, and the residue
/// of their keys grows with that of their rows. Where the row_stride is 1, one residue of keys.
struct ResidueRange {
  std::int64_t first_row = 0, first_key = 0;
  std::int64_t count = 0;           ///< residues
  std::int64_t rows = 0, keys = 0;  ///< of each

  /// What the kernel's grid and loop have of it.
  Extents extents(AttentionExtents all, std::int64_t head_dim, std::int64_t value_dim) const;
  /// The numbers of the parts, for lengths before they were regrouped.
  std::map<std::string, double> numbers(std::int64_t seqlen_q, std::int64_t seqlen_kv) const;
};

/// Whether ResidueRange::numbers has a number of that name.
bool is_of_range(const std::string& name);

/// At most four, without those that have no rows; where there are none at all, one without rows.
std::vector<ResidueRange> residue_ranges(const Regrouping& how, std::int64_t seqlen_q,
                                         std::int64_t seqlen_kv);

/// Tiles of the regrouped `program` by class, summed over the launches: skipped tiles are those of
/// rows and keys of one residue. As count_blocks otherwise.
std::optional<BlockCounts> count_regrouped(const Program& program, const Regrouping& how,
                                           const AttentionExtents& extents, std::int64_t head_dim,
                                           std::int64_t value_dim,
                                           const std::map<std::string, HostTable>& tables = {});

/// What a launch of `parts` refuses before they are regrouped: extents of rows and keys, tables
/// that are as long, outputs whose rows overlap. A view of every stride-th row shows none of it.
class WholeChecks {
 public:
  WholeChecks(const AttentionParts& parts, const AttentionRequest& request);
  /// Throws Error as Plan::launch does.
  void run(const std::vector<Binding>& all) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

/// The launches that do what one launch with `all` (q, k, v, out, lse and others, rows and keys in
/// their own order) would: one for each range, its tensors views of the same memory.
std::vector<std::vector<Binding>> regrouped_launches(const Regrouping& how,
                                                     const std::vector<Binding>& all);

}  // namespace tilewright::library
