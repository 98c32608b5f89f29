// The table of pointwise operations as C++ text. See spelling.hpp.
#include "emit/spelling.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "emit/errors.hpp"
#include "ir/print.hpp"
#include "tilewright/error.hpp"

namespace tilewright::emit {

namespace p = precedence;

namespace {

/// `a op b`. Both sides of an operator that C++ programmers misread get parentheses when they are
/// operations themselves.
Spelled binary(const std::vector<Spelled>& x, const char* op, int level) {
  const bool strict = level == p::bits || level == p::shift;
  const bool misread = level == p::comparison || level == p::logical_or;
  const int left = strict ? p::unary : misread ? p::sum : level;
  const int right = strict ? p::unary : misread ? p::sum : level + 1;
  const auto side = [&](const Spelled& s, int least) {
    if (level == p::logical_or && s.precedence == p::logical_or) return s.text;
    if (level == p::logical_or && s.precedence == p::comparison) return s.text;
    return at_least(s, least);
  };
  return {side(x[0], left) + " " + op + " " + side(x[1], right), level};
}

Spelled call(std::string function, const std::vector<Spelled>& x) {
  function += "(";
  for (std::size_t i = 0; i < x.size(); ++i) function += (i ? ", " : "") + x[i].text;
  return {function + ")"};
}

/// Integer arithmetic of 32 bits wraps, which signed C++ does not.
Spelled arithmetic(const std::vector<Spelled>& x, const char* op, int level, DType type,
                   bool small) {
  if (is_floating(type) || type == DType::u32 || type == DType::i64 || small)
    return binary(x, op, level);
  return {"int(unsigned(" + x[0].text + ") " + op + " unsigned(" + x[1].text + "))"};
}

Spelled convert(const Spelled& x, DType from, DType to, Calls& calls) {
  if (is_floating(to)) return is_floating(from) ? x : Spelled{"double(" + x.text + ")"};
  if (to == DType::b1)
    return from == DType::b1 ? x : Spelled{at_least(x, p::sum) + " != 0", p::comparison};
  const std::string type = to == DType::u32   ? "unsigned"
                           : to == DType::i64 ? "long long"
                           : to == DType::i8  ? "signed char"
                           : to == DType::u8  ? "unsigned char"
                                              : "int";
  std::string text = "(" + type + ")(" + x.text + ")";
  if (is_floating(from)) {
    calls.insert("saturate");
    text = "saturate<" + type + ">(" + x.text + ")";
  }
  // The short integers are held as int.
  const bool narrow = to == DType::i8 || to == DType::u8;
  if (narrow) return {"int(" + text + ")"};
  return {text, is_floating(from) ? p::primary : p::unary};
}

/// A number from 0 to 31.
bool shifts_within(const Spelled& by) {
  const bool digits = by.text.find_first_not_of("0123456789") == std::string::npos;
  return digits && by.text.size() <= 2 && std::stoi(by.text) < 32;
}

struct Function {
  const char* name;
  const char* text;
};
constexpr Function functions[] = {
    {"inf", "const double inf = INFINITY;"},
    {"floor_div",
     "template <class T> T floor_div(T a, T b) {  // wraps; by 0: 0\n"
     "  return b == 0 ? 0 : b == -1 ? T(0 - (unsigned long long)a) : a / b - (a % b != 0 && (a < "
     "0) "
     "!= (b < 0));\n"
     "}"},
    {"floor_mod",
     "template <class T> T floor_mod(T a, T b) {\n"
     "  return b == 0 || b == -1 ? 0 : a % b + (a % b != 0 && (a < 0) != (b < 0) ? b : 0);\n"
     "}"},
    {"shift_left",
     "inline int shift_left(int x, int n) { return unsigned(n) < 32 ? int(unsigned(x) << n) : 0; "
     "}"},
    {"shift_right",
     "inline int shift_right(int x, int n) { return x >> (unsigned(n) < 32 ? n : 31); }"},
    {"random_bits",
     "inline int random_bits(unsigned seed, unsigned seed_high, unsigned offset, unsigned stream) "
     "{ "
     " // Philox4x32-10\n"
     "  unsigned c[4] = {offset / 4, 0, stream, 0};\n"
     "  for (int round = 0; round < 10; ++round, seed += 0x9E3779B9u, seed_high += 0xBB67AE85u) {\n"
     "    const unsigned long long a = 0xD2511F53ull * c[0], b = 0xCD9E8D57ull * c[2];\n"
     "    c[0] = unsigned(b >> 32) ^ c[1] ^ seed, c[1] = unsigned(b);\n"
     "    c[2] = unsigned(a >> 32) ^ c[3] ^ seed_high, c[3] = unsigned(a);\n"
     "  }\n"
     "  return int(c[offset % 4]);\n"
     "}"},
    {"exp2_safe",
     "inline double exp2_safe(double x, double m) { return m == -inf ? 0 : exp2(x - m); }"},
    {"saturate",
     "template <class T> T saturate(double x) {  // toward zero; the nearest number of T; 0 for a "
     "NaN\n"
     "  const double least = double(std::numeric_limits<T>::min()), most = "
     "double(std::numeric_limits<T>::max());\n"
     "  return x != x ? 0 : x <= least ? std::numeric_limits<T>::min() : x >= most ? "
     "std::numeric_limits<T>::max() : T(x);\n"
     "}"},
};

}  // namespace

std::string at_least(const Spelled& x, int least) {
  return x.precedence >= least ? x.text : "(" + x.text + ")";
}

Spelled spell_constant(double value, DType type, Calls& calls) {
  if (type == DType::b1) return {value != 0 ? "true" : "false"};
  if (!is_floating(type)) {
    if (type == DType::i32 && value == -2147483648.0) return {"-2147483647 - 1", p::sum};
    std::string text = ir::print_number(std::abs(value));
    char whole[32];
    const auto end = std::to_chars(whole, whole + sizeof whole, std::llabs(std::llrint(value))).ptr;
    text.assign(whole, end);
    if (type == DType::u32) text += "u";
    if (type == DType::i64) text += "ll";
    return value < 0 ? Spelled{"-" + text, p::unary} : Spelled{text};
  }
  if (std::isnan(value)) return {"NAN"};
  const std::string sign = std::signbit(value) ? "-" : "";
  const double size = std::abs(value);
  std::string text;
  if (std::isinf(value)) {
    calls.insert("inf");
    text = "inf";
  } else {
    char digits[64];
    const auto narrow = static_cast<float>(size);
    const bool exact = static_cast<double>(narrow) == size;
    const auto end = exact ? std::to_chars(digits, digits + sizeof digits, narrow).ptr
                           : std::to_chars(digits, digits + sizeof digits, size).ptr;
    text.assign(digits, end);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    if (std::strtod(text.c_str(), nullptr) != size) text += "f";
  }
  return sign.empty() ? Spelled{text} : Spelled{sign + text, p::unary};
}

Spelled spell(const ir::Operation& operation, DType from, DType to, const std::vector<Spelled>& x,
              IntegerFacts facts, Calls& calls) {
  const bool floating = is_floating(from);
  const bool narrow = from == DType::i32 || from == DType::i8 || from == DType::u8;
  const auto own = [&](const char* name) {
    calls.insert(name);
    return call(name, x);
  };
  switch (operation.op) {
    case Op::add: return arithmetic(x, "+", p::sum, from, facts.small);
    case Op::sub: return arithmetic(x, "-", p::sum, from, facts.small);
    case Op::mul: return arithmetic(x, "*", p::product, from, facts.small);
    case Op::div:
      if (floating || from == DType::u32 || facts.non_negative) return binary(x, "/", p::product);
      return own("floor_div");
    case Op::mod:
      if (from == DType::u32 || facts.non_negative) return binary(x, "%", p::product);
      return own("floor_mod");
    case Op::neg:
      if (narrow && !facts.small) return {"int(-unsigned(" + x[0].text + "))"};
      return {"-" + at_least(x[0], p::primary), p::unary};
    case Op::minimum: return call(floating ? "fmin" : "std::min", x);
    case Op::maximum: return call(floating ? "fmax" : "std::max", x);
    case Op::exp2: return call("exp2", x);
    case Op::exp: return call("exp", x);
    case Op::log2: return call("log2", x);
    case Op::log: return call("log", x);
    case Op::tanh: return call("tanh", x);
    case Op::sqrt: return call("sqrt", x);
    case Op::rsqrt: return {"1 / sqrt(" + x[0].text + ")", p::product};
    case Op::abs: return call(floating ? "fabs" : "std::abs", x);
    case Op::exp2_safe: calls.insert("inf"); return own("exp2_safe");
    case Op::cast: return convert(x[0], from, to, calls);
    case Op::select:
      return {at_least(x[0], p::logical_or) + " ? " + at_least(x[1], p::logical_or) + " : " +
                  at_least(x[2], p::logical_or),
              p::choice};
    case Op::lt: return binary(x, "<", p::comparison);
    case Op::le: return binary(x, "<=", p::comparison);
    case Op::gt: return binary(x, ">", p::comparison);
    case Op::ge: return binary(x, ">=", p::comparison);
    case Op::eq: return binary(x, "==", p::comparison);
    case Op::ne: return binary(x, "!=", p::comparison);
    case Op::logical_and: return binary(x, "&&", p::logical_and);
    case Op::logical_or: return binary(x, "||", p::logical_or);
    case Op::logical_not: return {"!" + at_least(x[0], p::primary), p::unary};
    case Op::random_bits: return own("random_bits");
    case Op::shl:
      if (narrow && !shifts_within(x[1])) return own("shift_left");
      if (narrow) return {"int(unsigned(" + x[0].text + ") << " + at_least(x[1], p::sum) + ")"};
      return binary(x, "<<", p::shift);
    case Op::shr:
      if (narrow && !shifts_within(x[1])) return own("shift_right");
      return binary(x, ">>", p::shift);
    case Op::bit_and:
      return binary(x, from == DType::b1 ? "&&" : "&",
                    from == DType::b1 ? p::logical_and : p::bits);
    case Op::bit_or:
      return binary(x, from == DType::b1 ? "||" : "|", from == DType::b1 ? p::logical_or : p::bits);
    case Op::bit_xor:
      return binary(x, from == DType::b1 ? "!=" : "^", from == DType::b1 ? p::comparison : p::bits);
    case Op::bit_not:
      return {(from == DType::b1 ? "!" : "~") + at_least(x[0], p::primary), p::unary};
    default:
      throw Error(errors::emit["reference-lacks-operation"],
                  "the reference of a standalone program has no '" +
                      std::string(info(operation.op).name) + "'",
                  {std::string(info(operation.op).name), "", "operations of a traced kernel",
                   to_string(operation.where)});
  }
}

std::vector<std::string> definitions_of(const Calls& calls) {
  std::vector<std::string> lines;
  for (const Function& function : functions)
    if (calls.contains(function.name)) lines.push_back(function.text);
  return lines;
}

}  // namespace tilewright::emit
