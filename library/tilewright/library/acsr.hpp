// ACSR: a sparse mask whose every row is an arithmetic sequence of keys, three integers a row
// (SPLAT, OOPSLA 2025, DOI 10.1145/3720503). Windows, blocks, strides and their causal parts are of
// this form; the size of the description does not grow with the number of visible pairs.
//
//   const Acsr mask = Acsr::from_dense(rows, keys, visible);       // refuses what is not of the
//   form auto attention = Attention{}.mask(mask.mask()); plan.launch(stream, {…, .tables =
//   {{"acsr_start", …}, {"acsr_last", …}}});
#pragma once

#include <cstdint>
#include <span>
#include <tilewright/library/mask.hpp>
#include <vector>

namespace tilewright {

/// Row q sees the keys start[q] + step * i, i = 0 … count[q] - 1. One step for all rows: rows that
/// see one key or none have any. (SPLAT has a step for each row; masks that mix them are of
/// several.)
class Acsr {
 public:
  /// Throws Error{invalid_argument} naming start, count or step: of different lengths, negative, or
  /// a row that reaches past the last of `keys` keys.
  Acsr(std::int64_t keys, std::int64_t step, std::vector<std::int32_t> start,
       std::vector<std::int32_t> count);

  /// From a matrix [rows, keys] of 0 and others. Throws Error{invalid_argument} naming the first
  /// row that is no arithmetic sequence, or of another step than those before it.
  static Acsr from_dense(std::int64_t rows, std::int64_t keys,
                         std::span<const std::uint8_t> visible);

  // SPLAT's patterns, square or not; throw Error{invalid_argument} for numbers out of range.
  /// |q - k| <= width; causal: the half with k <= q.
  static Acsr windowed(std::int64_t rows, std::int64_t keys, std::int64_t width, bool causal);
  /// Blocks of `width`: a row sees its own block of keys and the one before it.
  static Acsr blocked(std::int64_t rows, std::int64_t keys, std::int64_t width);
  /// Keys that are a multiple of `width` away, before and after.
  static Acsr strided(std::int64_t rows, std::int64_t keys, std::int64_t width);

  std::int64_t rows() const { return static_cast<std::int64_t>(start_.size()); }
  std::int64_t keys() const { return keys_; }
  std::int64_t step() const { return step_; }
  const std::vector<std::int32_t>& start() const { return start_; }
  const std::vector<std::int32_t>& count() const { return count_; }
  /// The last key of each row; before the first where it sees none.
  std::vector<std::int32_t> last() const;
  bool visible(std::int64_t row, std::int64_t key) const;
  std::vector<std::uint8_t> dense() const;  ///< [rows, keys]

  /// The mask, with "acsr_start" and "acsr_last", i32 tables [seqlen_q] of the launch, from start()
  /// and last(). The step is the kernel's.
  Mask mask() const;

 private:
  std::int64_t keys_, step_;
  std::vector<std::int32_t> start_, count_;
};

}  // namespace tilewright
