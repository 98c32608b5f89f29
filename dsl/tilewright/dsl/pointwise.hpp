// Operators and functions on elements. Operands broadcast by dimension name; element types must
// agree, for a rounding never happens unseen. A C++ number takes the type of the tile beside it.
// Every rule is checked here, once, with the sentence a user reads; tests/dsl/refuse has a program
// for each.
#pragma once

#include <limits>

#include "tilewright/dsl/expression.hpp"

namespace tilewright {

inline constexpr float infinity = std::numeric_limits<float>::infinity();
inline constexpr float log2_e = 1.44269504088896340736f;
inline constexpr float ln_2 = 0.69314718055994530942f;

namespace detail {

// Named so that the compiler's note reads as a sentence about the two tiles.
template <typename A, typename B>
inline constexpr bool same_element_type = A::dtype == B::dtype;
template <typename A, typename B>
inline constexpr bool number_fits_tile = literal_fits(A::dtype, B::dtype);
template <typename A, typename B>
inline constexpr bool are_numbers = A::dtype != b1&& B::dtype != b1;
template <typename A, typename B>
inline constexpr bool are_integers = is_integer(A::dtype) && is_integer(B::dtype);
template <typename A, typename B>
inline constexpr bool are_conditions = A::dtype == b1&& B::dtype == b1;
template <typename A>
inline constexpr bool is_float_tile = is_floating(A::dtype);
template <typename A>
inline constexpr bool is_condition = A::dtype == b1;
template <typename A>
inline constexpr bool is_castable_type =
    A::dtype == f32 || A::dtype == f16 || A::dtype == bf16 || A::dtype == i32;

enum class Rule { numbers, integers, conditions, comparison };

constexpr Rule rule_of(Op op) {
  if (is_comparison(op)) return Rule::comparison;
  if (op == Op::logical_and || op == Op::logical_or || op == Op::logical_not)
    return Rule::conditions;
  if (op == Op::mod || (op >= Op::shl && op <= Op::bit_not)) return Rule::integers;
  return Rule::numbers;
}

/// True when the pair may be combined; otherwise exactly one static_assert has failed.
template <Op op, typename A, typename B>
constexpr bool accepts() {
  constexpr Rule rule = rule_of(op);
  if constexpr (rule == Rule::conditions) {
    static_assert(are_conditions<A, B>, "&&, ||, !: operands must be conditions (b1)");
    return are_conditions<A, B>;
  } else if constexpr (!are_numbers<A, B>) {
    static_assert(are_numbers<A, B>,
                  "arithmetic and comparisons: operands must be numbers, not conditions (b1)");
    return false;
  } else if constexpr (rule == Rule::integers && !are_integers<A, B>) {
    static_assert(are_integers<A, B>, "% << >> & | ^ ~: operands must be integers");
    return false;
  } else {
    static_assert(same_element_type<A, B>,
                  "a op b: element types differ; write cast<T>(…) around one of them");
    return same_element_type<A, B>;
  }
}

template <Op op, typename X, typename Y>
constexpr auto combined(const X& x, const Y& y) {
  using A = ShapeOf<X>;
  using B = ShapeOf<Y>;
  if constexpr (accepts<op, A, B>()) {
    constexpr DType result = is_comparison(op) ? b1 : A::dtype;
    return Expression<Joined<result, A, B>, op, X, Y>(Details{}, x, y);
  } else {
    return Refused{};
  }
}

/// A literal takes the type of the tile beside it, then the rule decides.
template <Op op, Operand First, Operand Second>
constexpr auto binary(const First& first, const Second& second) {
  const auto x = as_operand(first);
  using X = std::remove_const_t<decltype(x)>;
  if constexpr (is_refused<X>) {
    return Refused{};
  } else {
    const auto y = as_operand(second);
    using Y = std::remove_const_t<decltype(y)>;
    if constexpr (is_refused<Y>) {
      return Refused{};
    } else {
      using A = ShapeOf<X>;
      using B = ShapeOf<Y>;
      constexpr bool adapt_x = is_literal<X> && number_fits_tile<A, B>;
      constexpr bool adapt_y = is_literal<Y> && number_fits_tile<B, A>;
      return combined<op>(adapted < adapt_x ? B::dtype : A::dtype > (x),
                          adapted < adapt_y ? A::dtype : B::dtype > (y));
    }
  }
}

template <Op op, typename X>
constexpr auto unary_of(const X& x) {
  if constexpr (is_refused<X>) {
    return Refused{};
  } else {
    using A = ShapeOf<X>;
    if constexpr (accepts<op, A, A>()) {
      return Expression<A, op, X>(Details{}, x);
    } else {
      return Refused{};
    }
  }
}

/// exp2, log2 and the like: floating element types only.
template <Op op, Operand X>
constexpr auto floating(const X& x) {
  const auto operand = as_operand(x);
  if constexpr (is_refused<decltype(operand)>) {
    return Refused{};
  } else {
    using A = ShapeOf<decltype(operand)>;
    static_assert(is_float_tile<A>,
                  "exp2, log2, tanh, …: the operand must be floating; cast<f32> it");
    if constexpr (is_float_tile<A>) {
      return Expression<A, op, std::remove_cvref_t<decltype(operand)>>(Details{}, operand);
    } else {
      return Refused{};
    }
  }
}

}  // namespace detail

template <typename A, typename B>
concept Operands = (Term<A> || Term<B>)&&Operand<A>&& Operand<B>;

#define TILEWRIGHT_BINARY(spelling, op) \
  template <typename A, typename B>     \
  requires Operands<A, B>               \
  constexpr auto spelling(const A& a, const B& b) { return detail::binary<Op::op>(a, b); }
TILEWRIGHT_BINARY(operator+, add)
TILEWRIGHT_BINARY(operator-, sub)
TILEWRIGHT_BINARY(operator*, mul)
TILEWRIGHT_BINARY(operator/, div)  // of integers: rounds toward -inf; by 0 gives no certain number
TILEWRIGHT_BINARY(operator%, mod)  // of integers: the sign of the divisor
TILEWRIGHT_BINARY(operator<, lt)
TILEWRIGHT_BINARY(operator<=, le)
TILEWRIGHT_BINARY(operator>, gt)
TILEWRIGHT_BINARY(operator>=, ge)
TILEWRIGHT_BINARY(operator==, eq)
TILEWRIGHT_BINARY(operator!=, ne)
TILEWRIGHT_BINARY(operator&&, logical_and)
TILEWRIGHT_BINARY(operator||, logical_or)
// By less than 0 or by 32 and more, everything is shifted out: << leaves 0, >> leaves 0 or -1.
TILEWRIGHT_BINARY(operator<<, shl)
TILEWRIGHT_BINARY(operator>>, shr)  // keeps the sign
TILEWRIGHT_BINARY(operator&, bit_and)
TILEWRIGHT_BINARY(operator|, bit_or)
TILEWRIGHT_BINARY(operator^, bit_xor)
TILEWRIGHT_BINARY(min, minimum)
TILEWRIGHT_BINARY(max, maximum)
#undef TILEWRIGHT_BINARY

#define TILEWRIGHT_UNARY(spelling, make, op) \
  template <Term A>                          \
  constexpr auto spelling(const A& a) {      \
    return make;                             \
  }
TILEWRIGHT_UNARY(operator-, detail::unary_of<Op::neg>(detail::as_operand(a)), neg)
TILEWRIGHT_UNARY(operator!, detail::unary_of<Op::logical_not>(detail::as_operand(a)), logical_not)
TILEWRIGHT_UNARY(operator~, detail::unary_of<Op::bit_not>(detail::as_operand(a)), bit_not)
TILEWRIGHT_UNARY(abs, detail::unary_of<Op::abs>(detail::as_operand(a)), abs)
TILEWRIGHT_UNARY(exp2, detail::floating<Op::exp2>(a), exp2)
TILEWRIGHT_UNARY(exp, detail::floating<Op::exp>(a), exp)
TILEWRIGHT_UNARY(log2, detail::floating<Op::log2>(a), log2)
TILEWRIGHT_UNARY(log, detail::floating<Op::log>(a), log)
TILEWRIGHT_UNARY(tanh, detail::floating<Op::tanh>(a), tanh)
TILEWRIGHT_UNARY(rsqrt, detail::floating<Op::rsqrt>(a), rsqrt)
TILEWRIGHT_UNARY(sqrt, detail::floating<Op::sqrt>(a), sqrt)
#undef TILEWRIGHT_UNARY

/// exp2(x - m), and 0 wherever m is -inf (a row that has seen nothing), where x - m would be NaN.
template <typename X, typename M>
requires Operands<X, M>
constexpr auto exp2_safe(const X& x, const M& m) {
  const auto difference = detail::binary<Op::sub>(x, m);  // the rules of a subtraction
  if constexpr (is_refused<decltype(difference)>) {
    return Refused{};
  } else {
    using Shape = detail::ShapeOf<decltype(difference)>;
    static_assert(detail::is_float_tile<Shape>,
                  "exp2, log2, tanh, …: the operand must be floating; cast<f32> it");
    if constexpr (detail::is_float_tile<Shape>) {
      return hana::unpack(difference.operands, [](auto a, auto b) {
        return Expression<Shape, Op::exp2_safe, decltype(a), decltype(b)>(Details{}, a, b);
      });
    } else {
      return Refused{};
    }
  }
}

/// where(condition, a, b): a where the condition holds, b elsewhere. Both are evaluated.
template <typename C, typename A, typename B>
requires((Term<C> || Term<A> ||
          Term<B>)&&Operand<C>&& Operand<A>&& Operand<B>) constexpr auto where(const C& condition,
                                                                               const A& a,
                                                                               const B& b) {
  const auto c = detail::as_operand(condition);
  const auto x = detail::as_operand(a);
  const auto y = detail::as_operand(b);
  using Cond = std::remove_cvref_t<decltype(c)>;
  using X = std::remove_cvref_t<decltype(x)>;
  using Y = std::remove_cvref_t<decltype(y)>;
  if constexpr (is_refused<Cond> || is_refused<X> || is_refused<Y>) {
    return Refused{};
  } else if constexpr (!detail::is_condition<detail::ShapeOf<Cond>>) {
    static_assert(detail::is_condition<detail::ShapeOf<Cond>>,
                  "where(condition, a, b): the condition must be b1; write a comparison");
    return Refused{};
  } else {
    using AX = detail::ShapeOf<X>;
    using BY = detail::ShapeOf<Y>;
    constexpr bool x_follows = detail::is_literal<X> && !detail::is_literal<Y>;
    constexpr DType wanted = x_follows ? BY::dtype : AX::dtype;
    constexpr bool fits =
        (detail::is_literal<X> ? detail::literal_fits(AX::dtype, wanted) : AX::dtype == wanted) &&
        (detail::is_literal<Y> ? detail::literal_fits(BY::dtype, wanted) : BY::dtype == wanted);
    if constexpr (fits) {
      auto cc = detail::adapted<b1>(c);
      auto xx = detail::adapted<wanted>(x);
      auto yy = detail::adapted<wanted>(y);
      using Shape = Joined<wanted, detail::ShapeOf<Cond>, Joined<wanted, AX, BY>>;
      return Expression<Shape, Op::select, decltype(cc), decltype(xx), decltype(yy)>(Details{}, cc,
                                                                                     xx, yy);
    } else {
      static_assert(detail::same_element_type<AX, BY>,
                    "where(condition, a, b): a and b must have the same element type");
      return Refused{};
    }
  }
}

/// cast<T>(x): rounds to nearest even; to i32: toward zero. A condition becomes 1 or 0.
template <DType T, Term X>
constexpr auto cast(const X& x) {
  const auto operand = detail::as_operand(x);
  using E = std::remove_cvref_t<decltype(operand)>;
  if constexpr (is_refused<E>) {
    return Refused{};
  } else {
    using From = detail::ShapeOf<E>;
    using To = TileOf<T, DimsOf<From>>;
    static_assert(detail::is_castable_type<To>, "cast<T>(x): T must be f32, f16, bf16 or i32");
    if constexpr (!detail::is_castable_type<To>) {
      return Refused{};
    } else if constexpr (From::dtype == T) {
      return operand;
    } else if constexpr (From::dtype == b1) {
      const Literal<i32> yes{1};
      const Literal<i32> no{0};
      return where(operand, detail::adapted<T>(yes), detail::adapted<T>(no));
    } else {
      return Expression<To, Op::cast, E>(Details{}, operand);
    }
  }
}

}  // namespace tilewright
