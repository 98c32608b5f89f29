#include "passes/number_writer.hpp"

#include <algorithm>

#include "passes/rewrite.hpp"

namespace tilewright::passes {

using ir::IntExpr;

ValueId NumberWriter::add(Op op, DType dtype, const std::vector<ValueId>& operands) {
  ir::Type type{.dtype = dtype};
  for (const ValueId operand : operands)
    for (const ir::AxisId axis : kernel_.type(operand).axes)
      if (std::find(type.axes.begin(), type.axes.end(), axis) == type.axes.end())
        type.axes.push_back(axis);
  return put(make(kernel_, op, type, operands, where_));
}

ValueId NumberWriter::put(std::unique_ptr<ir::Operation> operation) {
  list_.push_back(std::move(operation));
  return list_.back()->results[0];
}

ValueId NumberWriter::constant(DType dtype, std::int64_t value) {
  auto made = make(kernel_, Op::constant, {.dtype = dtype}, {}, where_);
  made->constant = static_cast<double>(value);
  return put(std::move(made));
}

ValueId NumberWriter::index(ir::AxisId axis) {
  auto made = make(kernel_, Op::index, {.dtype = DType::i32, .axes = {axis}}, {}, where_);
  made->axis = axis;
  return put(std::move(made));
}

ValueId NumberWriter::symbol(const std::string& name) {
  const std::size_t open = name.find('(');
  const std::string function = name.substr(0, open);
  const std::string of = name.substr(open + 1, name.size() - open - 2);
  if (function == "value") return static_cast<ValueId>(std::stol(of));
  auto made = make(kernel_, function == "extent" ? Op::extent : Op::scalar_argument,
                   {.dtype = DType::i32}, {}, where_);
  made->name = of;
  return put(std::move(made));
}

ValueId NumberWriter::number(const IntExpr& e) {
  const auto both = [&](Op op) {
    const ValueId left = number(e.left());
    return add(op, DType::i32, {left, number(e.right())});
  };
  switch (e.kind()) {
    case IntExpr::Kind::constant: return constant(DType::i32, e.constant());
    case IntExpr::Kind::symbol: return symbol(e.name());
    case IntExpr::Kind::add: return both(Op::add);
    case IntExpr::Kind::sub: return both(Op::sub);
    case IntExpr::Kind::mul: return both(Op::mul);
    case IntExpr::Kind::floor_div: return both(Op::div);
    case IntExpr::Kind::mod: return both(Op::mod);
    case IntExpr::Kind::minimum: return both(Op::minimum);
    case IntExpr::Kind::maximum: return both(Op::maximum);
  }
  return no_value;
}

ValueId NumberWriter::plus(ValueId x, const Linear& form) {
  return form.is(0) ? x : add(Op::add, DType::i32, {x, number(form)});
}
ValueId NumberWriter::times(ValueId x, const Linear& form) {
  return form.is(1) ? x : add(Op::mul, DType::i32, {x, number(form)});
}
ValueId NumberWriter::divided(ValueId x, const Linear& form) {
  return form.is(1) ? x : add(Op::div, DType::i32, {x, number(form)});
}

ValueId NumberWriter::row_tile(const Affine& form, ir::AxisId rows) {
  ValueId sum = no_value;
  const auto join = [&](ValueId term) {
    sum = sum == no_value ? term : add(Op::add, DType::i32, {sum, term});
  };
  for (const Choice& table : form.tables) join(times(table.value, table.coefficient));
  if (form.q != 0) join(times(index(rows), form.q));
  for (const Quotient& quotient : form.quotients)
    join(times(divided(plus(times(index(rows), quotient.q), quotient.offset), quotient.divisor),
               quotient.coefficient));
  return plus(sum, form.constant);
}

}  // namespace tilewright::passes
