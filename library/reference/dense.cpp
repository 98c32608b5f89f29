// See dense.hpp. One kv head at a time: K transposed and V widened once, then groups of query rows
// shared out over the cores. The range of keys a group sees at all bounds its loops; within it
// every pair is computed and the hidden ones are dropped, so no mask is trusted twice.
#include "reference/dense.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>

#include "reference/row_product.hpp"

namespace tilewright::library {
namespace {

constexpr std::size_t size(std::int64_t extent) { return static_cast<std::size_t>(extent); }

float element(std::span<const std::byte> data, DType type, std::int64_t index) {
  if (type == DType::f32) {
    float value = 0;
    std::memcpy(&value, data.data() + size(index) * 4, 4);
    return value;
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, data.data() + size(index) * 2, 2);
  return type == DType::bf16 ? from_bf16(bits) : from_f16(bits);
}

/// 10 bits after the point, ties away from zero: what the tensor cores take of an f32 (PTX ISA,
/// cvt.rna.tf32.f32).
float rounded_to_tf32(float value) {
  if (!std::isfinite(value)) return value;
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, 4);
  bits = (bits + 0x1000) / 0x2000 * 0x2000;
  std::memcpy(&value, &bits, 4);
  return value;
}

/// Runs task(0) ... task(count - 1) over the cores; the first exception is passed on.
template <typename Task>
void in_parallel(std::int64_t count, const Task& task) {
  const auto cores = static_cast<std::int64_t>(std::max(1u, std::thread::hardware_concurrency()));
  std::atomic<std::int64_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto work = [&] {
    try {
      for (std::int64_t i = next++; i < count; i = next++) task(i);
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::int64_t i = 1; i < std::min(cores, count); ++i) threads.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

/// The formula in arithmetic of type Real; f32 also rounds where the input's type would.
template <typename Real>
class Dense {
 public:
  Dense(const AttentionShape& shape, const Inputs& inputs, const Formula& formula,
        bool rounds_scores = false)
      : shape_(shape), inputs_(inputs), formula_(formula), rounds_scores_(rounds_scores) {}

  DenseResult run() {
    DenseResult result{std::vector<double>(size(shape_.out_elements())),
                       std::vector<double>(size(shape_.lse_elements()))};
    if (shape_.lse_elements() == 0) return result;  // one extent is 0, others may be huge
    const std::int64_t group = shape_.kv_heads == 0 ? 0 : shape_.heads / shape_.kv_heads;
    const std::int64_t step = std::int64_t{row_group};
    const std::int64_t row_groups = (shape_.seqlen_q + step - 1) / step;
    for (std::int64_t b = 0; b < shape_.batch; ++b) {
      for (std::int64_t kv_head = 0; kv_head < shape_.kv_heads; ++kv_head) {
        load_keys_and_values(b, kv_head);
        in_parallel(group * row_groups, [&](std::int64_t task) {
          rows(b, kv_head * group + task / row_groups, task % row_groups * step, result);
        });
      }
    }
    return result;
  }

 private:
  static constexpr bool rounds = std::is_same_v<Real, float>;

  /// As the tensor cores take it.
  Real factor(Real value) const {
    if constexpr (rounds)
      if (shape_.dot_precision == DotPrecision::tf32) return rounded_to_tf32(value);
    return value;
  }

  Real rounded(Real value) const {
    if constexpr (rounds) return round_to(shape_.dtype, value);
    return value;
  }

  /// Of queries or keys, from element `at` on, as it goes into products.
  std::vector<Real> row_of(std::span<const std::byte> data, std::int64_t at,
                           const RowTransform& transform, std::int64_t b, std::int64_t head,
                           std::int64_t row) const {
    std::vector<Real> elements(size(shape_.head_dim));
    for (std::int64_t d = 0; d < shape_.head_dim; ++d)
      elements[size(d)] = element(data, shape_.dtype, at + d);
    if (transform) {
      std::vector<double> wide(elements.begin(), elements.end());
      transform(b, head, row, wide);
      for (std::size_t d = 0; d < wide.size(); ++d)
        elements[d] = rounded(static_cast<Real>(wide[d]));
    }
    for (Real& one : elements) one = factor(one);
    return elements;
  }

  void load_keys_and_values(std::int64_t b, std::int64_t head) {
    const AttentionShape& s = shape_;
    keys_.resize(size(s.head_dim * s.seqlen_kv));
    values_.resize(size(s.seqlen_kv * s.value_dim));
    values_finite_ = true;
    for (std::int64_t n = 0; n < s.seqlen_kv; ++n) {
      const auto k = row_offset(s.layout, s.kv_heads, s.seqlen_kv, s.head_dim, b, head, n);
      const auto v = row_offset(s.layout, s.kv_heads, s.seqlen_kv, s.value_dim, b, head, n);
      const std::vector<Real> key = row_of(inputs_.k, k, formula_.key, b, head, n);
      for (std::int64_t d = 0; d < s.head_dim; ++d) keys_[size(d * s.seqlen_kv + n)] = key[size(d)];
      for (std::int64_t e = 0; e < s.value_dim; ++e) {
        const Real value = factor(element(inputs_.v, s.dtype, v + e));
        values_[size(n * s.value_dim + e)] = value;
        values_finite_ = values_finite_ && std::isfinite(value);
      }
    }
  }

  /// Query rows first ... first + row_group - 1 of one head; rows past the end are zero and
  /// dropped.
  void rows(std::int64_t b, std::int64_t h, std::int64_t first, DenseResult& result) const {
    const AttentionShape& s = shape_;
    const std::size_t keys = size(s.seqlen_kv);
    const std::int64_t count = std::min<std::int64_t>(row_group, s.seqlen_q - first);

    std::vector<std::uint8_t> visible(row_group * keys, 0);
    std::size_t begin = keys;
    std::size_t end = 0;
    for (std::int64_t r = 0; r < count; ++r) {
      const std::span<std::uint8_t> row(visible.data() + size(r) * keys, keys);
      std::fill(row.begin(), row.end(), std::uint8_t{1});
      if (formula_.visible) formula_.visible(b, h, first + r, row);
      const auto seen = [](std::uint8_t flag) { return flag != 0; };
      const auto low = std::find_if(row.begin(), row.end(), seen) - row.begin();
      const auto high = row.rend() - std::find_if(row.rbegin(), row.rend(), seen);
      begin = std::min(begin, size(low));
      end = std::max(end, size(high));
    }
    if (begin > end) begin = end;  // no row of the group sees anything

    std::vector<Real> queries(row_group * size(s.head_dim), Real{0});
    for (std::int64_t r = 0; r < count; ++r) {
      const auto q = row_offset(s.layout, s.heads, s.seqlen_q, s.head_dim, b, h, first + r);
      const std::vector<Real> query = row_of(inputs_.q, q, formula_.query, b, h, first + r);
      std::copy(query.begin(), query.end(), queries.begin() + r * s.head_dim);
    }

    std::vector<Real> scores(row_group * keys, Real{0});
    row_product(queries.data(), size(s.head_dim), keys_.data(), keys, scores.data(), keys,
                size(s.head_dim), begin, end);
    const std::int64_t row_index = (b * s.heads + h) * s.seqlen_q + first;
    for (std::int64_t r = 0; r < count; ++r) {
      const std::span<Real> row(scores.data() + size(r) * keys, keys);
      const std::span<const std::uint8_t> seen(visible.data() + size(r) * keys, keys);
      change(b, h, first + r, seen, row);
      const double sink = formula_.sinks.empty() ? -std::numeric_limits<double>::infinity()
                                                 : formula_.sinks[size(h)];
      result.lse[size(row_index + r)] =
          softmax(row.data(), seen.data(), begin, end, static_cast<Real>(sink));
    }

    std::vector<Real> outputs(row_group * size(s.value_dim), Real{0});
    if (begin < end && !values_finite_) {
      sum_visible(scores, visible, begin, end, outputs);
    } else if (begin < end) {
      row_product(scores.data() + begin, keys, values_.data() + begin * size(s.value_dim),
                  size(s.value_dim), outputs.data(), size(s.value_dim), end - begin, 0,
                  size(s.value_dim));
    }
    for (std::int64_t i = 0; i < count * s.value_dim; ++i) {
      result.out[size(row_index * s.value_dim + i)] = rounded(outputs[size(i)]);
    }
  }

  /// P V over the visible keys only: a hidden NaN or infinity times 0 would not be 0.
  void sum_visible(const std::vector<Real>& scores, const std::vector<std::uint8_t>& visible,
                   std::size_t begin, std::size_t end, std::vector<Real>& outputs) const {
    const std::size_t keys = size(shape_.seqlen_kv);
    const std::size_t dim = size(shape_.value_dim);
    for (std::size_t r = 0; r < row_group; ++r) {
      for (std::size_t k = begin; k < end; ++k) {
        if (visible[r * keys + k] == 0) continue;
        for (std::size_t e = 0; e < dim; ++e) {
          outputs[r * dim + e] += scores[r * keys + k] * values_[k * dim + e];
        }
      }
    }
  }

  /// One row of q . k, scaled and then changed as the formula says, which computes in double.
  void change(std::int64_t b, std::int64_t h, std::int64_t q, std::span<const std::uint8_t> visible,
              std::span<Real> scores) const {
    const Real scale = static_cast<Real>(shape_.softmax_scale);
    for (Real& score : scores) score *= scale;
    if (!formula_.scored) return;
    if constexpr (!rounds) {
      formula_.scored(b, h, q, visible, scores);
    } else {
      std::vector<double> wide(scores.begin(), scores.end());
      formula_.scored(b, h, q, visible, wide);
      std::transform(wide.begin(), wide.end(), scores.begin(),
                     [](double score) { return static_cast<Real>(score); });
    }
  }

  /// Turns one row of scores into probabilities, in place, 0 where hidden; returns the row's LSE.
  /// `sink` is the score of one more key, without a value; -inf: none.
  double softmax(Real* scores, const std::uint8_t* visible, std::size_t begin, std::size_t end,
                 Real sink) const {
    const Real minus_infinity = -std::numeric_limits<Real>::infinity();
    Real largest = sink;
    bool any = sink != minus_infinity;
    bool not_a_number = false;
    for (std::size_t k = begin; k < end; ++k) {
      if (visible[k] == 0) continue;
      any = true;
      if (rounds_scores_) scores[k] = rounded(scores[k]);
      not_a_number = not_a_number || std::isnan(scores[k]);
      largest = std::max(largest, scores[k]);
    }
    if (not_a_number) largest = std::numeric_limits<Real>::quiet_NaN();
    if (!any || largest == minus_infinity) {  // no key to see: 0 and -inf, never -inf - -inf
      std::fill(scores + begin, scores + end, Real{0});
      return -std::numeric_limits<double>::infinity();
    }
    Real sum = std::exp(sink - largest);  // 0 where there is none
    for (std::size_t k = begin; k < end; ++k) {
      scores[k] = visible[k] == 0 ? Real{0} : std::exp(scores[k] - largest);
      sum += scores[k];
    }
    for (std::size_t k = begin; k < end; ++k) scores[k] = factor(rounded(scores[k] / sum));
    return static_cast<double>(largest + std::log(sum));
  }

  const AttentionShape& shape_;
  const Inputs& inputs_;
  const Formula& formula_;
  std::vector<Real> keys_;    ///< [head_dim, seqlen_kv]: transposed, so that keys are contiguous
  std::vector<Real> values_;  ///< [seqlen_kv, value_dim]
  bool values_finite_ = true;
  bool rounds_scores_;
};

}  // namespace

DenseResult dense_attention(const AttentionShape& shape, const Inputs& inputs,
                            const Formula& formula, Precision precision) {
  const auto attend = [&](const AttentionShape& s, const Inputs& given) {
    if (precision == Precision::exact) return Dense<double>(s, given, formula).run();
    return Dense<float>(s, given, formula, precision == Precision::rounded_scores).run();
  };
  DenseResult result = attend(shape, inputs);
  if (formula.own.rows == 0) return result;
  AttentionShape first = shape;
  first.seqlen_q = std::min(formula.own.rows, shape.seqlen_q);
  const DenseResult own = attend(first, {formula.own.q, formula.own.k, formula.own.v});
  const auto replace = [&](std::vector<double>& all, const std::vector<double>& with,
                           std::int64_t width) {  // the first rows of every head
    for (std::int64_t head = 0; head < shape.batch * shape.heads; ++head)
      std::copy_n(with.begin() + head * first.seqlen_q * width, first.seqlen_q * width,
                  all.begin() + head * shape.seqlen_q * width);
  };
  replace(result.out, own.out, shape.value_dim);
  replace(result.lse, own.lse, 1);
  return result;
}

}  // namespace tilewright::library
