// Operations over one axis: `dot` contracts the dimension it names, a reduction makes it vanish. No
// transposing: which operand has the dimension where does not matter. Inside for_blocks(N, mask, …)
// they take only visible elements of N.
#pragma once

#include "tilewright/dsl/expression.hpp"

namespace tilewright {
namespace detail {

template <typename A, typename B, typename K>
inline constexpr bool both_have_dimension = has_dim<A, K>&& has_dim<B, K>;
template <typename A, typename B>
inline constexpr bool same_product_type = A::dtype == B::dtype;
template <typename A, typename B>
inline constexpr bool can_multiply = A::dtype == f32 || is_half(A::dtype);
template <typename A, typename B>
using SharedDims = TileOf<A::dtype, decltype(dims::shared(DimsOf<A>{}, DimsOf<B>{}))>;
template <typename A, typename B, typename K>
inline constexpr bool share_only = SharedDims<A, B>::rank == 1;
template <typename A, typename K>
inline constexpr bool has_dimension = has_dim<A, K>;
template <typename A>
inline constexpr bool is_reducible = A::dtype != b1;

template <DType T, typename A, typename K>
using Without = TileOf<T, decltype(dims::without(DimsOf<A>{}, hana::type_c<K>))>;

template <typename X>
inline constexpr bool is_a_dimension = term_kind<X> == TermKind::dimension;

template <typename X, typename Y, typename K>
constexpr auto dot_of(const X& x, const Y& y, K) {
  if constexpr (is_refused<X> || is_refused<Y>) {
    return Refused{};
  } else {
    using A = ShapeOf<X>;
    using B = ShapeOf<Y>;
    if constexpr (!both_have_dimension<A, B, K>) {
      static_assert(both_have_dimension<A, B, K>,
                    "dot(a, b, K): both operands must have dimension K");
      return Refused{};
    } else if constexpr (!same_product_type<A, B>) {
      static_assert(
          same_product_type<A, B>,
          "dot(a, b, K): both operands must have the same element type; cast one of them");
      return Refused{};
    } else if constexpr (!can_multiply<A, B>) {
      static_assert(can_multiply<A, B>, "dot(a, b, K): operands must be f16, bf16 or f32");
      return Refused{};
    } else if constexpr (!share_only<A, B, K>) {
      static_assert(share_only<A, B, K>, "dot(a, b, K): operands may share no dimension but K");
      return Refused{};
    } else {
      using Shape = Joined<f32, Without<f32, A, K>, Without<f32, B, K>>;
      return Expression<Shape, Op::dot, X, Y>(Details{.axis = K::name}, x, y);
    }
  }
}

template <Op op, typename X, typename K>
constexpr auto reduce_of(const X& x, K) {
  if constexpr (is_refused<X>) {
    return Refused{};
  } else {
    using A = ShapeOf<X>;
    if constexpr (!has_dimension<A, K>) {
      static_assert(has_dimension<A, K>,
                    "reduce_max, reduce_sum, reduce_argmax(x, N): x must have dimension N");
      return Refused{};
    } else if constexpr (!is_reducible<A>) {
      static_assert(is_reducible<A>,
                    "reduce_max, reduce_sum, reduce_argmax(x, N): x must be numbers; cast<f32>(x)");
      return Refused{};
    } else {
      constexpr DType result = op == Op::reduce_argmax ? i32 : A::dtype;
      return Expression<Without<result, A, K>, op, X>(Details{.axis = K::name}, x);
    }
  }
}

}  // namespace detail

/// dot(a, b, K): the sum over K of a * b, accumulated in f32. [q, d] and [kv, d] over D give f32
/// [q, kv]. Refuses: an operand without K, different element types, a second dimension in common.
template <Term A, Term B, Name k>
constexpr auto dot(const A& a, const B& b, Dim<k> dim) {
  const auto x = detail::as_operand(a);
  if constexpr (is_refused<decltype(x)>) {
    return Refused{};
  } else {
    return detail::dot_of(x, detail::as_operand(b), dim);
  }
}

/// The largest element along N, -inf (integers: the smallest number) where there is none.
template <Term X, Name n>
constexpr auto reduce_max(const X& x, Dim<n> dim) {
  return detail::reduce_of<Op::reduce_max>(detail::as_operand(x), dim);
}

/// i32: where along N the largest element stands, counted from the start of the tensor as index(N)
/// counts. Of equal elements the lowest index; NaN is no element, as for reduce_max; -1 where there
/// is no element. A loop carries the pair on:
///   auto best = let("best", reduce_max(s, N));
///   at = where(best > seen, reduce_argmax(s, N), at);  seen = max(seen, best);
template <Term X, Name n>
constexpr auto reduce_argmax(const X& x, Dim<n> dim) {
  return detail::reduce_of<Op::reduce_argmax>(detail::as_operand(x), dim);
}

/// The sum along N, 0 where there is nothing.
template <Term X, Name n>
constexpr auto reduce_sum(const X& x, Dim<n> dim) {
  return detail::reduce_of<Op::reduce_sum>(detail::as_operand(x), dim);
}

}  // namespace tilewright
