// See compare.hpp.
#include "reference/compare.hpp"
#include "variants/errors.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <tilewright/error.hpp>

namespace tilewright::library {
namespace {

constexpr double not_comparable = std::numeric_limits<double>::max();

/// `type` is what `value` was rounded to: an infinity is right where the truth overflows it.
double difference(double value, double expected, DType type) {
  if (value == expected || (std::isnan(value) && std::isnan(expected))) return 0;
  if (std::isinf(value) && round_to(type, static_cast<float>(expected)) == value) return 0;
  const double gap = std::abs(value - expected);
  return std::isfinite(gap) ? gap : not_comparable;
}

double largest_difference(const std::vector<double>& values, const std::vector<double>& expected,
                          DType type) {
  double largest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    largest = std::max(largest, difference(values[i], expected[i], type));
  }
  return largest;
}

/// Twice the plain computation's error. Where it has no comparable value it allows nothing more.
double twice_largest_difference(const std::vector<double>& values,
                                const std::vector<double>& expected, DType type) {
  double largest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double gap = difference(values[i], expected[i], type);
    if (gap != not_comparable) largest = std::max(largest, gap);
  }
  return 2 * largest;
}

/// Of the numbers that are finite.
double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double value : values)
    if (std::isfinite(value)) most = std::max(most, std::abs(value));
  return most;
}

/// The stored out as doubles, in logical order [batch, heads, seqlen_q, value_dim].
std::vector<double> logical_out(const AttentionShape& s, const std::vector<std::byte>& bytes) {
  std::vector<double> values;
  if (s.out_elements() == 0) return values;  // one extent is 0, others may be huge
  values.reserve(static_cast<std::size_t>(s.out_elements()));
  for (std::int64_t b = 0; b < s.batch; ++b) {
    for (std::int64_t h = 0; h < s.heads; ++h) {
      for (std::int64_t q = 0; q < s.seqlen_q; ++q) {
        const auto row = row_offset(s.layout, s.heads, s.seqlen_q, s.value_dim, b, h, q);
        for (std::int64_t e = 0; e < s.value_dim; ++e) {
          const std::byte* from = bytes.data() + (row + e) * size_of(s.dtype);
          std::uint16_t bits = 0;
          float value = 0;
          std::memcpy(&bits, from, sizeof bits);
          if (s.dtype == DType::f32) std::memcpy(&value, from, sizeof value);
          values.push_back(s.dtype == DType::f32    ? value
                           : s.dtype == DType::bf16 ? from_bf16(bits)
                                                    : from_f16(bits));
        }
      }
    }
  }
  return values;
}

}  // namespace

Comparison compare(const AttentionShape& shape, const RunResult& result, const DenseResult& exact,
                   const DenseResult& same_type) {
  const auto out_bytes = static_cast<std::size_t>(shape.out_elements() * size_of(shape.dtype));
  if (result.out.size() != out_bytes || result.lse.size() != exact.lse.size()) {
    throw Error(errors::variants["result-size-wrong"],
                "the run returned a result of the wrong size",
                {"out", std::to_string(result.out.size()) + " bytes",
                 std::to_string(out_bytes) + " bytes", ""});
  }
  constexpr double slack_out = 1e-5;
  constexpr double slack_lse = 1e-4;
  constexpr double four_roundings = 4 * 0x1p-24;
  const std::vector<double> lse(result.lse.begin(), result.lse.end());
  Comparison comparison;
  comparison.max_abs_error =
      largest_difference(logical_out(shape, result.out), exact.out, shape.dtype);
  comparison.max_abs_error_lse = largest_difference(lse, exact.lse, DType::f32);
  comparison.tolerance =
      twice_largest_difference(same_type.out, exact.out, shape.dtype) + slack_out;
  comparison.tolerance_lse = twice_largest_difference(same_type.lse, exact.lse, DType::f32) +
                             slack_lse + four_roundings * largest(exact.lse);
  return comparison;
}

}  // namespace tilewright::library
