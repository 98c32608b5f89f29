// How far a result may be from the truth, and how far it is.
//
// The tolerance is measured, not guessed: the plain computation in the input's own type has some
// error against double precision on these very inputs; a good kernel stays within twice that.
#pragma once

#include "reference/dense.hpp"

namespace tilewright::library {

/// Largest absolute errors and what was allowed. A NaN where a number belongs, or a wrong infinity,
/// counts as the largest double (JSON has no infinity).
struct Comparison {
  double max_abs_error = 0;
  double tolerance = 0;
  double max_abs_error_lse = 0;
  double tolerance_lse = 0;
  bool ok() const { return max_abs_error <= tolerance && max_abs_error_lse <= tolerance_lse; }
};

/// Compares a run with the reference.
///   out: 2 * max |same_type - exact| + 1e-5.
///   lse: 2 * max |same_type - exact| + 1e-4 + 2^-22 * max |exact|, rows without a key -infinity in
///   both.
/// The LSE is f32 and never passes through the 16-bit type: products of 16-bit numbers are exact in
/// f32, so what remains is the order of f32 sums, truncation inside tensor cores and the device's
/// approximate exp2 and log2 (relative 2^-22): together below 3e-5 at scores of ordinary size. 1e-4
/// leaves three times that, and a row of LSE that is off by 1e-3 fails. With a large scale the LSE
/// is large itself, and a kernel that works in base 2 rounds it four times: the scale, the scale
/// times log2(e), the largest score times that, and the way back to natural logarithms; 2^-24 of it
/// each.
Comparison compare(const AttentionShape& shape, const RunResult& result, const DenseResult& exact,
                   const DenseResult& same_type);

}  // namespace tilewright::library
