// What a kernel keeps: `let` names a value, a `Var` is a value that changes. A Var inside an
// expression is the value it has where the expression is written, so statements may be read in any
// order they stand in. Assigned in a loop it is carried from one iteration to the next.
#pragma once

#include "tilewright/dsl/record.hpp"
#include "tilewright/errors.hpp"

namespace tilewright {

/// Settles `x` here and gives it a name, a paragraph in the generated text and this line.
template <Operand X>
auto let(std::string_view name, const X& x,
         const std::source_location place = std::source_location::current()) {
  const auto operand = detail::as_operand(x);
  if constexpr (is_refused<decltype(operand)>) {
    return Refused{};
  } else {
    const detail::Statement statement("let", place);
    constexpr DType dtype = detail::ShapeOf<decltype(operand)>::dtype;
    const auto value = detail::settle(detail::adapted<dtype>(operand), statement);
    statement.trace.gate().name(value.id, name, statement.where);
    return value;
  }
}

namespace detail {

template <typename Given, typename Variable>
inline constexpr bool fits_variable_dims = dims_within<Given, Variable>;
template <typename Given, typename Variable>
inline constexpr bool fits_variable_type = Given::dtype == Variable::dtype;

[[gnu::noinline]] inline VariableId record_variable(const Statement& statement,
                                                    std::string_view name, DType dtype,
                                                    std::span<const std::string_view> dims,
                                                    ValueId init) {
  return statement.trace.gate().variable(name, dtype, {dims.begin(), dims.end()}, init,
                                         statement.where);
}
[[gnu::noinline]] inline void record_assignment(VariableId id, std::uint32_t serial, ValueId value,
                                                const std::source_location& place) {
  const Statement statement("an assignment to a Var", place);
  checked(value, serial, statement);
  statement.trace.gate().assign(id, value, statement.where);
}
[[gnu::noinline]] inline ValueId read_variable(VariableId id, std::uint32_t serial) {
  const Trace& trace = Trace::current("a Var");
  if (trace.serial() != serial)
    throw Error(errors::dsl["value-of-another-kernel"], "a Var of one kernel is used in another");
  return trace.gate().read(id);
}

/// An expression on its way into a Var of shape `Shape`. The implicit conversion is where the line
/// of an assignment is caught: an operator can have no default argument, a constructor can.
template <typename Shape>
class Assigned {
 public:
  template <Operand X>
  Assigned(const X& x,  // NOLINT: converting on purpose
           const std::source_location place = std::source_location::current())
      : place_(place) {
    const auto operand = as_operand(x);
    using E = std::remove_cvref_t<decltype(operand)>;
    if constexpr (!is_refused<E>) {
      using Given = ShapeOf<E>;
      constexpr bool becomes = is_literal<E> && literal_fits(Given::dtype, Shape::dtype);
      if constexpr (!fits_variable_dims<Given, Shape>) {
        static_assert(fits_variable_dims<Given, Shape>,
                      "Var = x: x has a dimension that the Var lacks");
      } else if constexpr (!becomes && !fits_variable_type<Given, Shape>) {
        static_assert(fits_variable_type<Given, Shape>,
                      "Var = x: element types differ; write cast<T>(x)");
      } else {
        value_ = record(adapted<Shape::dtype>(operand), Statement("an assignment to a Var", place));
      }
    }
  }

  ValueId value() const { return value_; }
  const std::source_location& place() const { return place_; }

 private:
  ValueId value_ = no_value;
  std::source_location place_;
};

}  // namespace detail

/// A value of element type T and dimensions Dims that may be assigned. The first value may have
/// fewer dimensions (a number fills the tile). Not copied: two Vars are two states.
template <DType T, auto... Dims>
class Var {
  using Dimensions = Tile<T, std::remove_const_t<decltype(Dims)>...>;

 public:
  template <Operand X>
  Var(std::string_view name, const X& init,
      const std::source_location place = std::source_location::current()) {
    static_assert(detail::dimensions_differ<std::remove_const_t<decltype(Dims)>...>,
                  "Var: the dimensions of a Var must differ");
    const detail::Assigned<Dimensions> first(init, place);
    const detail::Statement statement("Var", place);
    trace_ = statement.trace.serial();
    id_ = detail::record_variable(statement, name, T, Dimensions::dim_names, first.value());
  }
  Var(const Var&) = delete;

  void operator=(detail::Assigned<Dimensions> x) {
    detail::record_assignment(id_, trace_, x.value(), x.place());
  }
  /// Never viable: it keeps the implicit copy assignment away, so that `a = b` is recorded like any
  /// other.
  void operator=(const Var&) requires(sizeof...(Dims) > 1000);

  /// The value it has now.
  Value<Dimensions> read() const { return {detail::read_variable(id_, trace_), trace_}; }

 private:
  VariableId id_ = -1;
  std::uint32_t trace_ = 0;
};

template <DType T, auto... Dims>
struct TermOf<Var<T, Dims...>> {
  static constexpr TermKind kind = TermKind::tile;
  static auto operand(const Var<T, Dims...>& x) { return x.read(); }
};

}  // namespace tilewright
