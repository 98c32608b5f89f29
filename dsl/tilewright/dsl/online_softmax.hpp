// Softmax over tiles of keys, one tile at a time, written in the language: a running maximum, a
// running sum and the weighted values so far, all rescaled when the maximum grows. Scores come in
// natural logarithms; inside, powers of two are cheaper, so they are multiplied by log2(e) once.
#pragma once

#include <optional>

#include "tilewright/dsl/coordinates.hpp"
#include "tilewright/dsl/state.hpp"
#include "tilewright/dsl/tensor.hpp"
#include "tilewright/dsl/tile_ops.hpp"

namespace tilewright {

/// The state of a softmax of rows M over values with dimension E. A row that has seen nothing gives
/// 0 and a logsumexp of -inf.
///   OnlineSoftmax<M, E> softmax;
///   for_blocks(N, mask, [&](auto n) { softmax.update(s, load(V(b, h, n, E)), N); });
template <auto M = Dim<"q">{}, auto E = Dim<"e">{}>
class OnlineSoftmax {
 public:
  explicit OnlineSoftmax(const std::source_location place = std::source_location::current())
      : OnlineSoftmax(-infinity, 0.f, 0.f, place) {}

  /// One more key whose value is 0 and whose score is `sink` (a number, or one per row): it takes
  /// weight and gives none. A row that sees nothing else has the sink as its logsumexp.
  template <Operand X>
  static OnlineSoftmax with_sink(
      const X& sink, const std::source_location place = std::source_location::current()) {
    return OnlineSoftmax(sink * log2_e, 1.f, 0.f, place);
  }

  /// Continues where another softmax stopped, from its result [M, E] and logsumexp [M].
  template <Operand Result, Operand LogSumExp>
  static OnlineSoftmax continued(
      const Result& result, const LogSumExp& logsumexp,
      const std::source_location place = std::source_location::current()) {
    return OnlineSoftmax(logsumexp * log2_e, where(logsumexp == -infinity, 0.f, 1.f), result,
                         place);
  }

  /// Takes in scores s [M, N] and values v [N, E]. The weights are rounded to v's type for the
  /// product.
  template <Operand S, Operand V, Name n>
  void update(const S& s, const V& v, Dim<n> keys,
              const std::source_location place = std::source_location::current()) {
    if constexpr (!is_refused<S> && !is_refused<V>) {
      const CalledFrom caller("OnlineSoftmax::update", place);
      auto t = let("t", s * log2_e);
      auto m_new = let("m_new", max(row_max_, reduce_max(t, keys)));
      auto p = let("p", exp2_safe(t, m_new));
      auto alpha = let("alpha", exp2_safe(row_max_, m_new));
      row_sum_ = row_sum_ * alpha + reduce_sum(p, keys);
      acc_ = acc_ * alpha + dot(cast<shape_of<V>::dtype>(p), v, keys);
      row_max_ = m_new;
    }
  }

  /// Takes in what `other` has seen, over other keys of the same rows.
  void merge(const OnlineSoftmax& other,
             const std::source_location place = std::source_location::current()) {
    const CalledFrom caller("OnlineSoftmax::merge", place);
    auto m_new = let("m_new", max(row_max_, other.row_max_));
    auto alpha = let("alpha", exp2_safe(row_max_, m_new));
    auto beta = let("beta", exp2_safe(other.row_max_, m_new));
    row_sum_ = row_sum_ * alpha + other.row_sum_ * beta;
    acc_ = acc_ * alpha + other.acc_ * beta;
    row_max_ = m_new;
  }

  /// [M, E]: the values averaged with the softmax's weights; 0 for a row that has seen nothing.
  auto result() const { return acc_ / where(row_sum_ == 0.f, 1.f, row_sum_); }

  /// [M]: log of the sum of exp(s), in natural logarithms; -inf for a row that has seen nothing.
  auto logsumexp() const { return row_max_ * ln_2 + log(row_sum_); }

 private:
  template <typename Max, typename Sum, typename Acc>
  OnlineSoftmax(const Max& row_max, const Sum& row_sum, const Acc& acc,
                const std::source_location& place)
      : caller_(std::in_place, "OnlineSoftmax", place),
        row_max_("row_max", row_max),
        row_sum_("row_sum", row_sum),
        acc_("acc", acc) {
    caller_.reset();
  }

  std::optional<CalledFrom> caller_;  ///< only while the Vars are made
  Var<f32, M> row_max_;
  Var<f32, M> row_sum_;
  Var<f32, M, E> acc_;
};

}  // namespace tilewright
