// ACSR: a sparse mask whose every row is up to four arithmetic sequences of keys, three integers
// each (SPLAT, OOPSLA 2025, DOI 10.1145/3720503, which has one sequence a row). Windows, blocks,
// strides, their causal parts and unions of a few of them are of this form; the size of the
// description does not grow with the number of visible pairs.
//
//   const Acsr mask = Acsr::from_dense(rows, keys, visible);  // refuses what is not of the form
//   auto attention = Attention{}.mask(mask.mask());
//   plan.launch(stream, {…, .tables = {{"acsr_start", …}, {"acsr_last", …}}});  // mask.tables()
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <tilewright/library/mask.hpp>
#include <vector>

namespace tilewright {

/// The keys start, start + step, … of a row, `count` of them.
struct AcsrSegment {
  std::int32_t start = 0, step = 1, count = 0;

  /// The last key; the one a step before `start` where there is none.
  std::int64_t last() const { return start + std::int64_t{step} * (count - 1); }
  bool has(std::int64_t key) const {
    return key >= start && key <= last() && (key - start) % step == 0;
  }
};

/// A table that a launch is given by name: i32, of these extents.
struct AcsrTable {
  std::string name;
  std::vector<std::int64_t> extents;
  std::vector<std::int32_t> numbers;
};

class Acsr {
 public:
  static constexpr int most_segments = 4;

  /// Rows of one segment, start[q] + step * i for i = 0 … count[q] - 1, with one step. Throws as
  /// the other.
  Acsr(std::int64_t keys, std::int64_t step, const std::vector<std::int32_t>& start,
       const std::vector<std::int32_t>& count);

  /// The segments of each row, in any order; those of no key may stand between others, so that the
  /// i-th segments of all rows have something in common (mask()). Throws Error{invalid_argument}
  /// naming "keys", "segments" (more than four), "start", "step" or "count" with the row and the
  /// segment: negative, a step below 1, a key past the last of `keys`, a key that two segments of a
  /// row have.
  Acsr(std::int64_t keys, const std::vector<std::vector<AcsrSegment>>& rows);

  /// From a matrix [rows, keys] of 0 and others: each row in as few segments as it can be cut into,
  /// by their first keys. The step of a single key is that of the nearest row before it, or else
  /// after it, that has one. Throws Error{invalid_argument} naming the first row that needs more
  /// than four, or so irregular that the search keeps more than 2^14 partial descriptions.
  static Acsr from_dense(std::int64_t rows, std::int64_t keys,
                         std::span<const std::uint8_t> visible);

  // Patterns of SPLAT, the Sparse Transformer (arXiv 1904.10509) and Longformer (2004.05150). Row q
  // stands at key q; square or not. Each throws Error{invalid_argument} for numbers out of range.
  /// |q - k| <= width; causal: the half with k <= q.
  static Acsr windowed(std::int64_t rows, std::int64_t keys, std::int64_t width, bool causal);
  /// Blocks of `width`: a row sees its own block of keys and the one before it.
  static Acsr blocked(std::int64_t rows, std::int64_t keys, std::int64_t width);
  /// Keys that are a multiple of `width` away, before and after; causal: before, and its own.
  static Acsr strided(std::int64_t rows, std::int64_t keys, std::int64_t width,
                      bool causal = false);
  /// `width` keys to each side, `dilation` apart.
  static Acsr dilated(std::int64_t rows, std::int64_t keys, std::int64_t width,
                      std::int64_t dilation);
  /// Causal within blocks of `width`.
  static Acsr fixed_local(std::int64_t rows, std::int64_t keys, std::int64_t width);
  /// The last key of every block of `width` up to the row's own.
  static Acsr fixed_summary(std::int64_t rows, std::int64_t keys, std::int64_t width);
  /// The last `width` keys, and causally every width-th: two segments.
  static Acsr merged_strided(std::int64_t rows, std::int64_t keys, std::int64_t width);
  /// fixed_local and fixed_summary: two segments.
  static Acsr fixed_union(std::int64_t rows, std::int64_t keys, std::int64_t width);
  /// A window of `width` to both sides, and `tokens` at the start that see all and are seen by all:
  /// two segments.
  static Acsr longformer(std::int64_t rows, std::int64_t keys, std::int64_t width,
                         std::int64_t tokens);

  std::int64_t rows() const { return rows_; }
  std::int64_t keys() const { return keys_; }
  /// Of the row that has most, at least 1.
  int segments() const { return segments_; }
  /// The segments() of a row, those of no key among them.
  std::span<const AcsrSegment> row(std::int64_t row) const;
  /// Keys of a row, and of the row that has most: the width of its compressed form.
  std::int64_t count(std::int64_t row) const;
  std::int64_t width() const;
  /// The step of the i-th segments of all rows, 0 where they differ. One of fewer than two keys has
  /// any.
  std::int64_t step(int segment = 0) const;

  bool visible(std::int64_t row, std::int64_t key) const;
  std::vector<std::uint8_t> dense() const;  ///< [rows, keys]

  /// The keys at and before the row's position.
  Acsr causal(CausalAlignment alignment = bottom_right) const;
  /// Rows and keys in each other's place, for a backward pass. Throws Error{invalid_argument}, as
  /// from_dense, where a key is seen by rows that four segments don't make.
  Acsr transpose() const;

  /// Every row is one run of neighbours: one segment of step 1.
  bool is_contiguous() const;

  /// The mask, over tables() of the launch. It asks for no more than the matrix needs: a step that
  /// all rows have is the kernel's, and where the phase of a row (its first key modulo the step) is
  /// the same for all rows, or moves with them, it is no table either.
  Mask mask() const;
  /// "acsr_start" and "acsr_last", the first and last keys, and "acsr_step" where steps differ:
  /// [rows], with several segments [segments, rows]. A segment of no key begins behind all keys.
  std::vector<AcsrTable> tables() const;

 private:
  std::int64_t keys_ = 0, rows_ = 0;
  int segments_ = 1;
  std::vector<AcsrSegment> all_;  ///< [rows, segments]
};

}  // namespace tilewright
