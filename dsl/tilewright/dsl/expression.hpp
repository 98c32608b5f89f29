// Expressions are types, and nothing else happens when they are written: an operator returns a
// small struct that holds its operands by value. A `Value` is what a statement left behind: one
// number. `Refused` stands for an expression whose error has been reported; it swallows everything
// after it, so that a wrong program gives one error. Statements turn expressions into a program:
// record.hpp.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tilewright/dsl/dim.hpp"
#include "tilewright/dsl/gate.hpp"
#include "tilewright/dsl/op.hpp"
#include "tilewright/error.hpp"
#include "tilewright/errors.hpp"

namespace tilewright {

template <typename Shape>
inline constexpr bool known_while_tracing = false;

/// Base of everything that has elements on the device.
template <typename Shape>
struct Traced {
  using shape = Shape;
  /// Only there to be refused: C++ control flow runs while the kernel is traced.
  explicit operator bool() const {
    static_assert(known_while_tracing<Shape>,
                  "if (x): a tile has no value while the kernel is traced; write where(x, a, b)");
    return false;
  }
};

/// The result of a statement: `let`, a read of a `Var`, a loop's counter.
template <typename Shape>
struct Value : Traced<Shape> {
  ValueId id = no_value;
  std::uint32_t trace = 0;  ///< which trace it belongs to
  Value(ValueId value, std::uint32_t serial) : id(value), trace(serial) {}
};

/// What an operation needs besides its operands; all text lives in template arguments.
struct Details {
  double constant = 0;
  std::string_view name = {};
  std::string_view axis = {};
};

template <typename Shape, Op op, typename... Operands>
struct Expression : Traced<Shape> {
  Details details;
  hana::tuple<Operands...> operands;
  constexpr explicit Expression(Details d, Operands... x) : details(d), operands(std::move(x)...) {}
};

/// A C++ number in an expression. It takes the element type of the tile beside it.
template <DType T>
struct Literal {
  double value;
};

struct Refused {
  explicit operator bool() const { return false; }
};

template <typename X>
inline constexpr bool is_refused = std::is_same_v<std::remove_cvref_t<X>, Refused>;

// What each kind of object is to an expression. `Var`, `Scalar`, `each` and friends specialise this
// where they are defined.
enum class TermKind { none, tile, dimension, block, tensor, refused };

template <typename X>
struct TermOf {
  static constexpr TermKind kind = TermKind::none;
  using not_a_term = void;
};
template <typename Shape>
struct TermOf<Value<Shape>> {
  static constexpr TermKind kind = TermKind::tile;
  static constexpr const Value<Shape>& operand(const Value<Shape>& x) { return x; }
};
template <typename Shape, Op op, typename... Operands>
struct TermOf<Expression<Shape, op, Operands...>> {
  static constexpr TermKind kind = TermKind::tile;
  static constexpr const auto& operand(const Expression<Shape, op, Operands...>& x) { return x; }
};
template <Name dim_name>
struct TermOf<Dim<dim_name>> {
  static constexpr TermKind kind = TermKind::dimension;
};
template <>
struct TermOf<Refused> {
  static constexpr TermKind kind = TermKind::refused;
};

template <typename X>
inline constexpr TermKind term_kind = TermOf<std::remove_cvref_t<X>>::kind;
template <typename X>
concept Term = !requires {
  typename TermOf<std::remove_cvref_t<X>>::not_a_term;
};
template <typename X>
concept Number = std::is_arithmetic_v<std::remove_cvref_t<X>>;
template <typename X>
concept Operand = Term<X> || Number<X>;

template <typename X>
inline constexpr bool is_value_not_dimension = term_kind<X> != TermKind::dimension;
template <typename X>
inline constexpr bool is_value_not_block = term_kind<X> != TermKind::block;
template <typename X>
inline constexpr bool is_value_not_tensor = term_kind<X> != TermKind::tensor;

namespace detail {

[[noreturn, gnu::noinline]] inline void refuse_integer(const std::string& value) {
  throw Error(errors::dsl["integer-too-wide"], "an integer in a kernel must fit in 32 bits",
              {"constant", value, "-2147483648 … 2147483647", ""});
}

template <typename X>
constexpr auto literal(X x) {
  if constexpr (std::is_same_v<X, bool>) {
    return Literal<DType::b1>{x ? 1.0 : 0.0};
  } else if constexpr (std::is_floating_point_v<X>) {
    return Literal<DType::f32>{static_cast<double>(x)};
  } else {
    if (std::cmp_less(x, INT32_MIN) || std::cmp_greater(x, INT32_MAX))
      refuse_integer(std::to_string(x));
    return Literal<DType::i32>{static_cast<double>(x)};
  }
}

/// What `x` is inside an expression: captured now, by value. A `Var` gives the value it has here.
template <Operand X>
constexpr auto as_operand(const X& x) {
  if constexpr (Number<X>) {
    return literal(x);
  } else if constexpr (term_kind<X> == TermKind::tile) {
    return TermOf<X>::operand(x);
  } else {
    static_assert(is_value_not_dimension<X>,
                  "a dimension is not a value: write index(M), position(M) or extent(M)");
    static_assert(is_value_not_block<X>, "a block is not a value: write index(N) inside it");
    static_assert(is_value_not_tensor<X>, "a tensor is not a value: write load(x(…))");
    return Refused{};
  }
}

template <typename X>
inline constexpr bool is_literal = false;
template <DType T>
inline constexpr bool is_literal<Literal<T>> = true;

/// The element type an operand brings; for a literal, the one C++ gives it.
template <typename X>
struct OperandShape {
  using type = typename X::shape;
};
template <DType T>
struct OperandShape<Literal<T>> {
  using type = Tile<T>;
};
template <typename X>
using ShapeOf = typename OperandShape<std::remove_cvref_t<X>>::type;

/// A literal of type From may stand where T is wanted: 2 is a fine f32, 0.5 is no i32.
constexpr bool literal_fits(DType from, DType to) {
  if (from == to) return true;
  if (is_floating(to)) return from == DType::f32 || from == DType::i32;
  return is_integer(to) && from == DType::i32;
}

template <DType T, typename X>
constexpr auto adapted(const X& x) {
  if constexpr (is_literal<X>) {
    return Expression<Tile<T>, Op::constant>(Details{.constant = x.value});
  } else {
    return x;
  }
}

}  // namespace detail

/// The shape of anything that may stand in an expression, for static_assert in user code:
/// `std::is_same_v<shape_of<decltype(s)>, Tile<f32, Dim<"q">, Dim<"kv">>>`.
template <typename X>
using shape_of = detail::ShapeOf<decltype(detail::as_operand(std::declval<const X&>()))>;

}  // namespace tilewright
