// Expressions of the reference. An expression may need statements before it (a sum it contains):
// they go into `before`, inside the loops around it, which `nest` lists. See reference_writer.hpp.
#include <algorithm>
#include <cmath>

#include "emit/reference_writer.hpp"
#include "ir/flattened.hpp"
#include "ir/print.hpp"
#include "tilewright/error.hpp"

namespace tilewright::emit {

namespace {

/// Constants up to this size, and coordinates, are taken not to overflow 32 bits when combined.
constexpr double small_constant = 1 << 20;

}  // namespace

Spelled ReferenceWriter::use(ValueId value, const AxisSet& nest, Lines& before) {
  if (variable_.contains(value)) return {name_element(value)};
  return expression(*plan_.definition(value), nest, before);
}

Spelled ReferenceWriter::expression(const ir::Operation& operation, const AxisSet& nest,
                                    Lines& before) {
  const ValueId value = operation.results[0];
  const DType dtype = kernel_.type(value).dtype;
  switch (operation.op) {
    case Op::constant: return spell_constant(operation.constant, dtype, calls_);
    case Op::scalar_argument: return {signature_.parameter.at(operation.name)};
    case Op::each: return {each_.at(operation.name)};
    case Op::block: {
      const auto axis = std::find_if(kernel_.axes.begin(), kernel_.axes.end(),
                                     [&](const ir::Axis& a) { return a.block == value; });
      const auto id = static_cast<ir::AxisId>(axis - kernel_.axes.begin());
      if (axis == kernel_.axes.end() || !plan_.is_row(id)) return {"0"};
      if (axis->requested_tile == 0) return {index_of_.at(id)};
      return {index_of_.at(id) + " / " + std::to_string(axis->requested_tile), precedence::product};
    }
    case Op::index: return {index_of_.at(operation.axis)};
    case Op::iota: return within_tile(operation.axis);
    case Op::extent: return {extent(operation.name)};
    case Op::load: {
      const Element x = element(operation, nest, before);
      if (x.inside.empty())
        return dtype == DType::b1 ? Spelled{x.text + " != 0", precedence::comparison}
                                  : Spelled{x.text};
      std::string condition;
      for (const std::string& inside : x.inside)
        condition += (condition.empty() ? "" : " && ") + inside;
      const std::string zero = spell_constant(0, dtype, calls_).text;
      return {condition + " ? " + x.text + (dtype == DType::b1 ? " != 0 : " : " : ") + zero,
              precedence::choice};
    }
    case Op::dot:
    case Op::reduce_max:
    case Op::reduce_sum:
    case Op::reduce_argmax: {
      const std::string name = signature_.names.take(operation.op == Op::reduce_max      ? "most"
                                                     : operation.op == Op::reduce_argmax ? "place"
                                                                                         : "sum");
      reduce(operation, name, nest, before);
      return {name};
    }
    case Op::take: {
      const Spelled picked = use(operation.operands[1], nest, before);
      const std::string at = at_least(picked, precedence::sum), own = index_of_.at(operation.axis);
      const std::string inside = (non_negative(operation.operands[1]) ? "" : at + " >= 0 && ") +
                                 at + " < " + length(operation.axis);
      index_of_[operation.axis] = picked.text;
      const Spelled x = use(operation.operands[0], nest, before);
      index_of_[operation.axis] = own;
      return {inside + " ? " + at_least(x, precedence::choice) + " : " +
                  spell_constant(0, dtype, calls_).text,
              precedence::choice};
    }
    default: break;
  }
  std::vector<Spelled> operands;
  IntegerFacts facts{true, small(value)};
  for (const ValueId operand : operation.operands) {
    operands.push_back(use(operand, nest, before));
    facts.non_negative = facts.non_negative && non_negative(operand);
  }
  if (operation.op == Op::div || operation.op == Op::mod) {
    const ir::Operation* divisor = plan_.definition(operation.operands[1]);
    facts.non_negative =
        facts.non_negative && divisor && (divisor->op != Op::constant || divisor->constant != 0);
  }
  const DType from = operation.operands.empty()
                         ? dtype
                         : kernel_.type(operation.operands[operation.op == Op::select]).dtype;
  if (!is_floating(from) &&
      (operation.op == Op::minimum || operation.op == Op::maximum || operation.op == Op::abs))
    algorithm_ = true;
  return spell(operation, from, dtype, operands, facts, calls_);
}

/// `name` = the dot or reduction over its axis, visible elements only.
void ReferenceWriter::reduce(const ir::Operation& operation, const std::string& name,
                             const AxisSet& nest, Lines& before) {
  const ValueId value = operation.results[0];
  const DType dtype = kernel_.type(value).dtype;
  AxisSet inside = nest;
  inside.insert(operation.axis);
  Lines body;
  std::string start = spell_constant(0, dtype, calls_).text;
  std::string step;
  const bool wraps = !is_floating(dtype) && dtype != DType::u32 && dtype != DType::i64;
  if (operation.op == Op::reduce_max) {
    if (is_floating(dtype)) calls_.insert("inf");
    start = is_floating(dtype) ? "-inf" : dtype == DType::i32 ? "-2147483647 - 1" : "0";
    const Spelled x = use(operation.operands[0], inside, body);
    algorithm_ = algorithm_ || !is_floating(dtype);
    step =
        name + " = " + (is_floating(dtype) ? "fmax(" : "std::max(") + name + ", " + x.text + ");";
  } else if (operation.op == Op::reduce_argmax) {
    const DType compared = kernel_.type(operation.operands[0]).dtype;
    if (is_floating(compared)) calls_.insert("inf");
    const std::string best = signature_.names.take("best");
    before.push_back(element_type(compared, false) + " " + best + " = " +
                     (is_floating(compared)    ? "-inf"
                      : compared == DType::i32 ? "-2147483647 - 1"
                                               : "0") +
                     ";");
    start = "-1";
    const Spelled x = use(operation.operands[0], inside, body);
    const std::string held = at_least(x, precedence::sum);
    step = "if (" + held + " > " + best + " || (" + held + " == " + best + " && " + name +
           " < 0)) " + best + " = " + x.text + ", " + name + " = " + index_of_.at(operation.axis) +
           ";";
  } else if (operation.op == Op::reduce_sum) {
    const Spelled x = use(operation.operands[0], inside, body);
    step = wraps ? name + " = int(unsigned(" + name + ") + unsigned(" + x.text + "));"
                 : name + " += " + x.text + ";";
  } else {
    if (operation.operands.size() > 2) start = use(operation.operands[2], nest, before).text;
    const Spelled a = use(operation.operands[0], inside, body);
    const Spelled b = use(operation.operands[1], inside, body);
    const std::string product =
        at_least(a, precedence::product) + " * " + at_least(b, precedence::unary);
    step = wraps ? name + " = int(unsigned(" + name + ") + unsigned(" + a.text + ") * unsigned(" +
                       b.text + "));"
                 : name + " += " + product + ";";
  }
  body.push_back(step);
  const std::string visible = guard(operation.axis, inside, operation);
  Lines loop;
  append_nested(loop, loop_over(operation.axis) + (visible.empty() ? "" : " if (" + visible + ")"),
                body);
  append_declared(before, element_type(dtype, false) + " " + name + " = " + start + ";", loop);
}

ReferenceWriter::Element ReferenceWriter::element(const ir::Operation& operation,
                                                  const AxisSet& nest, Lines& before) {
  const Argument* tensor = kernel_.find_argument(operation.name);
  Element result{signature_.parameter.at(operation.name) + "(", {}};
  for (std::size_t i = 0; i < operation.indices.size(); ++i) {
    const ir::Index& index = operation.indices[i];
    const std::string end = extent(tensor->dims[i]);
    std::string at;
    if (index.value != no_value) {
      const Spelled x = use(index.value, nest, before);
      at = x.text;
      if (!surely_inside(index.value, tensor->dims[i])) {
        const std::string compared = at_least(x, precedence::sum);
        if (!non_negative(index.value)) result.inside.push_back(compared + " >= 0");
        result.inside.push_back(compared + " < " + end);
      }
    } else {
      at = index_of_.at(index.axis);
      if (index.step != 1) at = std::to_string(index.step) + " * " + at;
      if (index.offset != 0)
        at += (index.offset < 0 ? " - " : " + ") + std::to_string(std::abs(index.offset));
      if (index.offset < 0) result.inside.push_back(at + " >= 0");
      if (kernel_.may_leave(operation, i)) result.inside.push_back(at + " < " + end);
    }
    result.text += (i ? ", " : "") + at;
  }
  result.text += ")";
  return result;
}

/// True for the index of the dimension itself, and for one of `dim` groups of another: A / (|A| /
/// |dim|).
bool ReferenceWriter::surely_inside(ValueId index, const std::string& dim) const {
  const ir::Operation* x = plan_.definition(index);
  if (!x) return false;
  if (x->op == Op::each) return x->name == dim;
  const auto coordinate = ir::coordinate_of(
      kernel_, [&](ValueId value) { return plan_.definition(value); }, index);
  if (coordinate) return coordinate->part == dim;
  if (x->op != Op::div) return false;
  const ir::Operation* member = plan_.definition(x->operands[0]);
  const ir::Operation* groups = plan_.definition(x->operands[1]);
  if (!member || !groups || member->op != Op::each || groups->op != Op::div) return false;
  const auto is_extent = [&](ValueId value, const std::string& of) {
    const ir::Operation* made = plan_.definition(value);
    if (!made) return false;
    if (made->op == Op::extent) return made->name == of;
    const auto bound = kernel_.bound.find(of);
    return made->op == Op::constant && bound != kernel_.bound.end() &&
           made->constant == bound->second;
  };
  return is_extent(groups->operands[0], member->name) && is_extent(groups->operands[1], dim);
}

/// One block holds all of a loop's dimension here, but tiles have the size the kernel has.
Spelled ReferenceWriter::within_tile(ir::AxisId id) const {
  const ir::Axis& axis = kernel_.axes[static_cast<std::size_t>(id)];
  const std::string& index = index_of_.at(id);
  if (axis.kind == ir::Axis::Kind::whole) return {index};
  const auto given = tiles_.find(id);
  const int tile = given != tiles_.end() ? given->second : axis.requested_tile;
  return tile == 0 ? Spelled{index}
                   : Spelled{index + " % " + std::to_string(tile), precedence::product};
}

bool ReferenceWriter::non_negative(ValueId value) const {
  if (const auto known = non_negative_.find(value); known != non_negative_.end())
    return known->second;
  const ir::Operation* x = plan_.definition(value);
  bool result = false;
  if (x) {
    switch (x->op) {
      case Op::constant: result = x->constant >= 0; break;
      case Op::each:
      case Op::block:
      case Op::index:
      case Op::iota:
      case Op::extent: result = true; break;
      case Op::add:
      case Op::mul:
        result = small(value) && non_negative(x->operands[0]) && non_negative(x->operands[1]);
        break;
      case Op::div:
      case Op::mod:
      case Op::minimum:
        result = non_negative(x->operands[0]) && non_negative(x->operands[1]);
        break;
      default: break;
    }
  }
  return non_negative_[value] = result;
}

bool ReferenceWriter::small(ValueId value) const {
  if (const auto known = small_.find(value); known != small_.end()) return known->second;
  const ir::Operation* x = plan_.definition(value);
  bool result = false;
  if (x) {
    switch (x->op) {
      case Op::constant: result = std::abs(x->constant) <= small_constant; break;
      case Op::scalar_argument:
      case Op::each:
      case Op::block:
      case Op::index:
      case Op::iota:
      case Op::extent: result = true; break;
      case Op::add:
      case Op::sub:
      case Op::neg:
      case Op::mul:
      case Op::div:
      case Op::mod:
      case Op::minimum:
      case Op::maximum:
      case Op::abs:
        result = std::all_of(x->operands.begin(), x->operands.end(),
                             [&](ValueId operand) { return small(operand); });
        break;
      default: break;
    }
  }
  return small_[value] = result;
}

}  // namespace tilewright::emit
