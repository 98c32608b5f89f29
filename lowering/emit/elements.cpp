// One element of a tile as C: the expression a thread evaluates for x[j][i], with as few
// parentheses as C needs.
#include <algorithm>
#include <cmath>

#include "emit/describe.hpp"
#include "emit/emitter.hpp"
#include "emit/errors.hpp"
#include "ir/errors.hpp"
#include "ir/flattened.hpp"
#include "tilewright/error.hpp"

namespace tilewright::emit {
namespace {

constexpr int primary = 16, unary = 15, multiplicative = 13, additive = 12, shift = 11,
              relational = 9, equality = 8, bit_and = 7, bit_xor = 6, bit_or = 5, logical_and = 4,
              logical_or = 3, conditional = 2;

std::string wrap(const Text& part, int needed) {
  return part.precedence < needed ? "(" + part.text + ")" : part.text;
}

struct Operator {
  const char* sign;
  int precedence;
};

Operator operator_of(Op op) {
  switch (op) {
    case Op::add: return {" + ", additive};
    case Op::sub: return {" - ", additive};
    case Op::mul: return {" * ", multiplicative};
    case Op::div: return {" / ", multiplicative};
    case Op::lt: return {" < ", relational};
    case Op::le: return {" <= ", relational};
    case Op::gt: return {" > ", relational};
    case Op::ge: return {" >= ", relational};
    case Op::eq: return {" == ", equality};
    case Op::ne: return {" != ", equality};
    case Op::logical_and: return {" && ", logical_and};
    case Op::logical_or: return {" || ", logical_or};
    case Op::shl: return {" << ", shift};
    case Op::shr: return {" >> ", shift};
    case Op::bit_and: return {" & ", bit_and};
    case Op::bit_or: return {" | ", bit_or};
    case Op::bit_xor: return {" ^ ", bit_xor};
    default: return {nullptr, 0};
  }
}

bool associative(Op op) {
  return op == Op::add || op == Op::mul || op == Op::logical_and || op == Op::logical_or ||
         op == Op::bit_and || op == Op::bit_or || op == Op::bit_xor;
}

Text call(const std::string& function, std::initializer_list<Text> arguments) {
  std::string text = function + "(";
  bool first = true;
  for (const Text& argument : arguments) {
    text += (first ? "" : ", ") + argument.text;
    first = false;
  }
  return {text + ")", primary};
}

}  // namespace

Text Emitter::element(ValueId value, const At& at) {
  if (const auto found = local_.find(value); found != local_.end()) return {found->second, primary};
  // Registers hold a thread's own rows; an address may be about any.
  const bool anew = address_rows_ >= 0 && !kernel_.type(value).axes.empty();
  if (!anew && plan_.is_variable(value))
    return {plan_.variable(value) + subscript(value, at), primary};
  const ir::Operation* operation = plan_.definition(value);
  if (operation == nullptr)
    throw Error(errors::ir["kernel-inconsistent"],
                "the emitter met a value that nothing defines [internal defect]",
                {.value = std::to_string(value)});
  return inline_element(*operation, at);
}

std::string Emitter::number(double value, DType dtype) {
  if (dtype == DType::b1) return value != 0 ? "true" : "false";
  if (is_integer(dtype) && std::isinf(value)) return value < 0 ? "-2147483647 - 1" : "2147483647";
  if (is_integer(dtype)) return std::to_string(static_cast<long long>(value));
  if (std::isinf(value)) {
    prelude_.use(value < 0 ? "neg_inf" : "pos_inf");
    return value < 0 ? "neg_inf" : "pos_inf";
  }
  if (std::isnan(value)) return "__int_as_float(0x7fffffff)";
  const std::string text = float_text(value);
  // With its point even where it is whole: 1 / (c ? 2 : 4) would divide integers.
  return text + (text.find_first_of(".e") == std::string::npos ? ".f" : "f");
}

std::string Emitter::extent(const std::string& dim) {
  if (ir::is_flattened(dim)) {
    if (const auto bound = ir::bound_extent(kernel_, dim)) return std::to_string(*bound);
    std::string product;
    for (const std::string& part : ir::parts_of(dim))
      product += (product.empty() ? "" : " * ") + extent(part);
    return once("extent of " + dim, "extent_" + dim, "int", product);
  }
  if (const auto bound = kernel_.bound.find(dim); bound != kernel_.bound.end())
    return std::to_string(bound->second);
  return parameter(Parameter::Kind::extent, "extent_" + dim, "int", dim);
}

std::string Emitter::once(const std::string& key, const std::string& wish, const std::string& type,
                          const std::string& value) {
  if (const auto found = once_.find(key); found != once_.end()) return found->second;
  const std::string name = plan_.fresh(wish);
  top_.line("const " + type + " " + name + " = " + value + ";");
  return once_[key] = name;
}

bool Emitter::never_negative(ValueId value) const {
  const ir::Operation* operation = plan_.definition(value);
  if (operation == nullptr) {  // a loop's counter, or a carried value
    for (const ir::Axis& tiled : kernel_.axes)
      if (tiled.block == value) return true;
    return false;
  }
  switch (operation->op) {
    case Op::each:
    case Op::block:
    case Op::extent:
    case Op::iota: return true;
    case Op::index: return axis(operation->axis).before == 0;
    case Op::constant: return operation->constant >= 0;
    case Op::add:
    case Op::mul:
    case Op::div:
    case Op::mod:
    case Op::minimum:
      return never_negative(operation->operands[0]) && never_negative(operation->operands[1]);
    case Op::maximum:
      return never_negative(operation->operands[0]) || never_negative(operation->operands[1]);
    default: return false;
  }
}

/// Whether an i32 is made of indices, extents, scalars and small constants alone, which do not
/// leave 32 bits. C++ leaves open what happens otherwise, and compilers take it for never; the
/// language wraps.
bool Emitter::stays_small(ValueId value) const {
  constexpr double most = 1 << 20;
  const ir::Operation* operation = plan_.definition(value);
  if (operation == nullptr) return plan_.counts(value);
  switch (operation->op) {
    case Op::constant: return std::abs(operation->constant) <= most;
    case Op::scalar_argument:
    case Op::each:
    case Op::block:
    case Op::extent:
    case Op::index:
    case Op::iota:
    case Op::reduce_argmax: return true;
    case Op::add:
    case Op::sub:
    case Op::mul:
    case Op::neg:
    case Op::div:
    case Op::mod:
    case Op::minimum:
    case Op::maximum:
    case Op::select: break;
    default: return false;
  }
  return std::all_of(operation->operands.begin(), operation->operands.end(), [&](ValueId operand) {
    return kernel_.type(operand).dtype == DType::b1 || stays_small(operand);
  });
}

/// C leaves open what a shift by less than 0 or more than 31 gives; the language does not.
bool Emitter::shifts_within(const ir::Operation& shift) const {
  const ir::Operation* by = plan_.definition(shift.operands[1]);
  return by != nullptr && by->op == Op::constant && by->constant >= 0 && by->constant < 32;
}

Text Emitter::integer_division(const ir::Operation& operation, const At& at) {
  const Text left = element(operation.operands[0], at), right = element(operation.operands[1], at);
  const bool plain = never_negative(operation.operands[0]) && never_negative(operation.operands[1]);
  const bool division = operation.op == Op::div;
  if (plain)
    return {
        wrap(left, multiplicative) + (division ? " / " : " % ") + wrap(right, multiplicative + 1),
        multiplicative};
  const char* function = division ? "floor_div" : "floor_mod";
  prelude_.use(function);
  return call(function, {left, right});
}

Text Emitter::inline_element(const ir::Operation& operation, const At& at) {
  const ValueId result = operation.results[0];
  switch (operation.op) {
    case Op::constant:
      return {number(operation.constant, kernel_.type(result).dtype),
              std::isinf(operation.constant) && is_integer(kernel_.type(result).dtype) ? additive
              : operation.constant < 0                                                 ? unary
                                                                                       : primary};
    case Op::scalar_argument: {
      const Argument* argument = kernel_.find_argument(operation.name);
      const bool floating = argument == nullptr || is_floating(argument->dtype);
      return {parameter(Parameter::Kind::scalar, plan_.argument(operation.name),
                        floating ? "float" : "int", operation.name),
              primary};
    }
    case Op::extent: return {extent(operation.name), primary};
    case Op::index: return index_text(operation.axis, at);
    case Op::load: return load_at_row(operation, at);
    case Op::iota: {
      const std::string within = within_tile(operation.axis, at);
      return {within, within.find(' ') == std::string::npos ? primary : additive};
    }
    default: return pointwise(operation, at);
  }
}

Text Emitter::pointwise(const ir::Operation& operation, const At& at) {
  const ValueId result = operation.results[0];
  const DType dtype = kernel_.type(result).dtype;
  const auto operand = [&](std::size_t which) { return element(operation.operands[which], at); };
  const bool floating = is_floating(
      operation.operands.empty() ? dtype : kernel_.type(operation.operands.back()).dtype);
  if ((operation.op == Op::div || operation.op == Op::mod) && !floating)
    return integer_division(operation, at);
  if ((operation.op == Op::shl || operation.op == Op::shr) && !shifts_within(operation)) {
    const char* function = operation.op == Op::shl ? "shift_left" : "shift_right";
    prelude_.use(function);
    return call(function, {operand(0), operand(1)});
  }
  const bool arithmetic = operation.op == Op::add || operation.op == Op::sub ||
                          operation.op == Op::mul || operation.op == Op::neg;
  if (arithmetic && dtype == DType::i32 && !stays_small(result)) {
    prelude_.use("u32");
    if (operation.op == Op::neg) return {"int(-u32(" + operand(0).text + "))"};
    return {"int(u32(" + operand(0).text + ")" + operator_of(operation.op).sign + "u32(" +
            operand(1).text + "))"};
  }
  if (const Operator sign = operator_of(operation.op); sign.sign != nullptr) {
    const Text left = operand(0), right = operand(1);
    const int after =
        associative(operation.op) && !floating ? sign.precedence : sign.precedence + 1;
    // && inside ||, shifts and bit operations keep their parentheses: readers do not know the table
    // by heart.
    const bool mixed = sign.precedence <= logical_and ||
                       (sign.precedence >= bit_or && sign.precedence <= bit_and) ||
                       sign.precedence == shift;
    const auto part = [&](const Text& text, int needed) {
      const bool other =
          mixed && text.precedence != sign.precedence && text.precedence < relational;
      return other || text.precedence < needed ? "(" + text.text + ")" : text.text;
    };
    return {part(left, sign.precedence) + sign.sign + part(right, after), sign.precedence};
  }
  switch (operation.op) {
    case Op::neg: {
      const Text x = operand(0);  // two signs would be one operator
      return {"-" + wrap(x, x.text.starts_with('-') ? primary : unary), unary};
    }
    case Op::logical_not: return {"!" + wrap(operand(0), unary), unary};
    case Op::bit_not: return {"~" + wrap(operand(0), unary), unary};
    case Op::minimum: return call(floating ? "fminf" : "min", {operand(0), operand(1)});
    case Op::maximum: return call(floating ? "fmaxf" : "max", {operand(0), operand(1)});
    case Op::random_bits:
      prelude_.use("random_bits");
      return call("random_bits", {operand(0), operand(1), operand(2), operand(3)});
    case Op::abs: return call(floating ? "fabsf" : "abs", {operand(0)});
    case Op::exp2: prelude_.use("ex2"); return call("ex2", {operand(0)});
    case Op::exp: return call("expf", {operand(0)});
    case Op::log2: return call("log2f", {operand(0)});
    case Op::log: return call("logf", {operand(0)});
    case Op::tanh: return call("tanhf", {operand(0)});
    case Op::rsqrt: return call("rsqrtf", {operand(0)});
    case Op::sqrt: return call("sqrtf", {operand(0)});
    case Op::exp2_safe: {
      prelude_.use("ex2");
      prelude_.use("finite");
      return call("ex2",
                  {{wrap(operand(0), additive) + " - finite(" + operand(1).text + ")", additive}});
    }
    case Op::select: {
      const std::string condition = wrap(operand(0), conditional + 1);
      const std::string guard =
          operation.cut_only && in_cut_code_ ? "cut && !(" + condition + ") ? " : condition + " ? ";
      const Text yes = operation.cut_only && in_cut_code_ ? operand(2) : operand(1);
      const Text no = operation.cut_only && in_cut_code_ ? operand(1) : operand(2);
      return {guard + wrap(yes, conditional) + " : " + wrap(no, conditional), conditional};
    }
    case Op::cast: {
      const DType from = kernel_.type(operation.operands[0]).dtype;
      const Text x = operand(0);
      if (dtype == from || (packing_ && is_half(dtype) && is_floating(from))) return x;
      if (is_half(dtype)) {
        // A 16-bit value lives in f32 registers, rounded.
        const std::string to = "to_" + std::string(name(dtype)),
                          back = "from_" + std::string(name(dtype));
        prelude_.use(to);
        prelude_.use(back);
        const Text whole = is_floating(from) ? x : Text{"(float)" + wrap(x, unary), unary};
        return call(back, {call(to, {whole})});
      }
      if (dtype == DType::f32)
        return is_floating(from) ? x : Text{"(float)" + wrap(x, unary), unary};
      if (is_integer(dtype))
        return {std::string(dtype == DType::u32 ? "(u32)" : "(int)") + wrap(x, unary), unary};
      return {wrap(x, equality) + " != 0", equality};
    }
    case Op::take: return taken(operation, at);
    default: break;
  }
  if (is_reduction(operation.op))
    throw Error(errors::emit["reduction-unsupported"],
                "a reduction whose result lies along the columns of a tile, or over more than two "
                "dimensions, is not built in this version",
                {.argument = std::string(info(operation.op).name),
                 .value = axis(operation.axis).dim,
                 .allowed = "a reduction of a tile of two dimensions along its rows",
                 .where = to_string(operation.where)});
  throw Error(
      errors::ir["kernel-inconsistent"],
      "the emitter has no text for " + std::string(info(operation.op).name) +
          " in an expression [internal defect]",
      {.argument = std::string(info(operation.op).name), .where = to_string(operation.where)});
}

/// A comparison of integers that neither load nor divide, or a disjunction of such.
bool Emitter::at_hand(ValueId condition) const {
  if (plan_.is_variable(condition)) return true;
  const ir::Operation* operation = plan_.definition(condition);
  if (operation == nullptr) return true;
  switch (operation->op) {
    case Op::load:
    case Op::div:
    case Op::mod:
    case Op::select:
    case Op::random_bits:
    case Op::logical_or: return false;
    default: break;
  }
  return std::all_of(operation->operands.begin(), operation->operands.end(),
                     [&](ValueId operand) { return at_hand(operand); });
}

/// The opposite of a condition, by de Morgan: what hides an element reads better than what shows
/// it.
Text Emitter::negated(ValueId condition, const At& at) {
  const ir::Operation* operation = plan_.definition(condition);
  if (operation != nullptr && !plan_.is_variable(condition)) {
    const auto integers = [&] { return !is_floating(kernel_.type(operation->operands[0]).dtype); };
    const auto both = [&](const char* sign, int precedence) {
      const Text left = negated(operation->operands[0], at),
                 right = negated(operation->operands[1], at);
      const auto part = [&](const Text& text) {
        return text.precedence < relational && text.precedence != precedence ? "(" + text.text + ")"
                                                                             : text.text;
      };
      return Text{part(left) + sign + part(right), precedence};
    };
    const auto compare = [&](const char* sign, int precedence) {
      const Text left = element(operation->operands[0], at),
                 right = element(operation->operands[1], at);
      return Text{wrap(left, precedence + 1) + sign + wrap(right, precedence + 1), precedence};
    };
    switch (operation->op) {
      // Comparisons of numbers at hand are all made: a branch around the second would cost more.
      case Op::logical_and:
        return at_hand(operation->operands[0]) && at_hand(operation->operands[1])
                   ? both(" | ", bit_or)
                   : both(" || ", logical_or);
      case Op::logical_or: return both(" && ", logical_and);
      case Op::logical_not: return element(operation->operands[0], at);
      case Op::eq: return compare(" != ", equality);
      case Op::ne: return compare(" == ", equality);
      case Op::lt:
        if (integers()) return compare(" >= ", relational);
        break;
      case Op::le:
        if (integers()) return compare(" > ", relational);
        break;
      case Op::gt:
        if (integers()) return compare(" <= ", relational);
        break;
      case Op::ge:
        if (integers()) return compare(" < ", relational);
        break;
      default: break;
    }
  }
  return {"!" + wrap(element(condition, at), unary), unary};
}

}  // namespace tilewright::emit
