// The one walk over an expression: children first, each node handed to the gate, a number back.
// Everything typed ends here. A node gets the line of its statement.
#pragma once

#include <array>
#include <span>
#include <utility>
#include <vector>

#include "tilewright/dsl/expression.hpp"
#include "tilewright/dsl/trace.hpp"
#include "tilewright/errors.hpp"

namespace tilewright::detail {

struct Statement {
  Trace& trace;
  Provenance where;
  std::source_location place;

  [[gnu::noinline]] Statement(std::string_view what, const std::source_location& at)
      : trace(Trace::current(what, at)), where(trace.provenance(at)), place(at) {}
  [[gnu::noinline]] ~Statement() {}
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
};

// What is the same for every type stands in functions of its own, not to be inlined: a kernel has
// hundreds of statements, and the optimiser would see this text in each.

[[gnu::noinline]] inline ValueId record_node(const Statement& statement, Op op, DType dtype,
                                             std::span<const std::string_view> dims,
                                             const Details& details,
                                             std::span<const ValueId> operands,
                                             std::vector<IndexSpec> indices = {}) {
  Node node;
  node.op = op;
  node.dtype = dtype;
  node.dims.assign(dims.begin(), dims.end());
  node.operands.assign(operands.begin(), operands.end());
  node.constant = details.constant;
  node.name = details.name;
  node.axis = details.axis;
  node.indices = std::move(indices);
  return statement.trace.gate().value(node, statement.where);
}

[[gnu::noinline]] inline ValueId checked(ValueId id, std::uint32_t serial,
                                         const Statement& statement) {
  if (serial != statement.trace.serial())
    throw Error(errors::dsl["value-of-another-kernel"],
                "a value made in one kernel is used in another: kernels share no values",
                {"", "", "", short_place(statement.place)});
  return id;
}

template <typename Shape>
ValueId record(const Value<Shape>& value, const Statement& statement) {
  return checked(value.id, value.trace, statement);
}

template <typename Shape, Op op, typename... Operands>
ValueId record(const Expression<Shape, op, Operands...>& expression, const Statement& statement);

/// Nodes that are more than an operation over operands (a load, a position) say themselves how.
template <typename X>
requires requires(const X& x, const Statement& s) { x.record_self(s); }
ValueId record(const X& x, const Statement& statement) { return x.record_self(statement); }

template <typename Shape, Op op, typename... Operands>
ValueId record(const Expression<Shape, op, Operands...>& expression, const Statement& statement) {
  return hana::unpack(expression.operands, [&](const auto&... operand) {
    const std::array<ValueId, sizeof...(operand)> ids{record(operand, statement)...};
    return record_node(statement, op, Shape::dtype, Shape::dim_names, expression.details, ids);
  });
}

/// Records `expression` and gives back a handle.
template <typename X>
Value<typename X::shape> settle(const X& expression, const Statement& statement) {
  return {record(expression, statement), statement.trace.serial()};
}

}  // namespace tilewright::detail
