// A variant's formula, written plainly: what the reference of `--check` is computed from, pair by
// pair, in double precision. It must share nothing with the masks and scores that `run` compiles.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace tilewright::library {

/// One row and one key of one head.
struct Pair {
  std::int64_t b, h, q, k;
  std::int64_t p;  ///< where row q stands among the keys: q + seqlen_kv - seqlen_q
};

/// Whether the row sees the key.
using Visible = std::function<bool(const Pair& at)>;
/// What becomes of the scaled score.
using Scored = std::function<double(double score, const Pair& at)>;

/// Writes, for row (b, h, q), 1 to visible[k] where the row sees key k and 0 elsewhere; visible has
/// seqlen_kv elements, all 1 on entry. Must be callable from several threads.
using RowMask = std::function<void(std::int64_t b, std::int64_t h, std::int64_t q,
                                   std::span<std::uint8_t> visible)>;
/// Replaces the scaled scores of row (b, h, q) that are visible. Callable from several threads.
using RowScores =
    std::function<void(std::int64_t b, std::int64_t h, std::int64_t q,
                       std::span<const std::uint8_t> visible, std::span<double> scores)>;

/// Changes row `row` of a head's queries or keys (kv heads) before products are made of it.
using RowTransform = std::function<void(std::int64_t b, std::int64_t head, std::int64_t row,
                                        std::span<double> elements)>;

/// The first rows have queries, keys and values of their own, as Inputs has them: for `rows` rows,
/// and for all keys.
struct OwnRows {
  std::int64_t rows = 0;
  std::vector<std::byte> q, k, v;
};

struct Formula {
  RowMask visible;            ///< empty: every pair
  RowScores scored;           ///< empty: scores stay as they are
  RowTransform query, key;    ///< empty: none
  std::vector<double> sinks;  ///< per query head: one more key of that score and value 0; or empty
  OwnRows own = {};           ///< of 0 rows: none
};

}  // namespace tilewright::library
