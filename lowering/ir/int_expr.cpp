// Integer expressions: builders that fold, exact evaluation, C text with as few parentheses as C's
// precedence allows. Division and remainder round toward -inf; where C's `/` would not, the text
// calls floor_div or floor_mod, which the emitter's prelude defines.
#include <algorithm>
#include <limits>

#include "ir/domain.hpp"
#include "ir/errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright::ir {

struct IntExpr::Node {
  Kind kind = Kind::constant;
  std::int64_t constant = 0;
  std::string name;
  IntExpr left{std::shared_ptr<const Node>{}};
  IntExpr right{std::shared_ptr<const Node>{}};
};

namespace {

using Kind = IntExpr::Kind;

std::int64_t floor_quotient(std::int64_t a, std::int64_t b) {
  if (b == 0)
    throw Error(errors::ir["division-by-zero"], "a loop bound divides by zero",
                {"", std::to_string(a) + " / 0", "a divisor that is not zero", ""});
  const std::int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

/// Names that stand for numbers that are never negative.
bool is_count(const std::string& name) {
  for (const char* prefix : {"extent(", "first(", "last(", "tile(", "block("})
    if (name.starts_with(prefix)) return true;
  return false;
}

bool never_negative(const IntExpr& e) {
  const auto both = [&] { return never_negative(e.left()) && never_negative(e.right()); };
  switch (e.kind()) {
    case Kind::constant: return e.constant() >= 0;
    case Kind::symbol: return is_count(e.name());
    case Kind::add:
    case Kind::mul:
    case Kind::minimum: return both();
    case Kind::maximum: return never_negative(e.left()) || never_negative(e.right());
    case Kind::floor_div: return both();
    case Kind::mod: return e.right().is_constant() && e.right().constant() > 0;
    case Kind::sub: return false;
  }
  return false;
}

bool plain_division(const IntExpr& e) {
  return e.right().is_constant() && e.right().constant() > 0 && never_negative(e.left());
}

/// C's levels, tighter is higher: 3 a name or a call, 2 `* / %`, 1 `+ -`.
int level(const IntExpr& e) {
  switch (e.kind()) {
    case Kind::add:
    case Kind::sub: return 1;
    case Kind::mul: return 2;
    case Kind::floor_div:
    case Kind::mod: return plain_division(e) ? 2 : 3;
    case Kind::constant: return e.constant() < 0 ? 1 : 3;
    default: return 3;
  }
}

}  // namespace

std::int64_t IntExpr::apply(Kind kind, std::int64_t a, std::int64_t b) {
  switch (kind) {
    case Kind::add: return a + b;
    case Kind::sub: return a - b;
    case Kind::mul: return a * b;
    case Kind::floor_div: return floor_quotient(a, b);
    case Kind::mod: return a - floor_quotient(a, b) * b;
    case Kind::minimum: return std::min(a, b);
    case Kind::maximum: return std::max(a, b);
    case Kind::constant:
    case Kind::symbol: break;
  }
  return 0;
}

IntExpr::IntExpr(std::int64_t constant) {
  Node node;
  node.constant = constant;
  node_ = std::make_shared<const Node>(std::move(node));
}

IntExpr IntExpr::symbol(std::string name) {
  Node node;
  node.kind = Kind::symbol;
  node.name = std::move(name);
  return IntExpr(std::make_shared<const Node>(std::move(node)));
}

IntExpr::Kind IntExpr::kind() const { return node_->kind; }
std::int64_t IntExpr::constant() const { return node_->constant; }
const std::string& IntExpr::name() const { return node_->name; }
const IntExpr& IntExpr::left() const { return node_->left; }
const IntExpr& IntExpr::right() const { return node_->right; }

IntExpr IntExpr::make(Kind kind, const IntExpr& a, const IntExpr& b) {
  if (a.is_constant() && b.is_constant() &&
      !((kind == Kind::floor_div || kind == Kind::mod) && b.constant() == 0))
    return apply(kind, a.constant(), b.constant());
  Node node;
  node.kind = kind;
  node.left = a;
  node.right = b;
  return IntExpr(std::make_shared<const Node>(std::move(node)));
}

bool operator==(const IntExpr& a, const IntExpr& b) {
  if (a.node_ == b.node_) return true;
  if (a.kind() != b.kind()) return false;
  if (a.kind() == Kind::constant) return a.constant() == b.constant();
  if (a.kind() == Kind::symbol) return a.name() == b.name();
  return a.left() == b.left() && a.right() == b.right();
}

IntExpr operator+(const IntExpr& a, const IntExpr& b) {
  if (a.is_constant() && !b.is_constant()) return b + a;
  if (b.is_constant()) {
    if (b.constant() == 0) return a;
    if (b.constant() < 0 && b.constant() != std::numeric_limits<std::int64_t>::min())
      return a - IntExpr(-b.constant());
    if (a.kind() == Kind::add && a.right().is_constant())
      return a.left() + IntExpr(a.right().constant() + b.constant());
    if (a.kind() == Kind::sub && a.right().is_constant())
      return a.left() + IntExpr(b.constant() - a.right().constant());
  }
  return IntExpr::make(Kind::add, a, b);
}

IntExpr operator-(const IntExpr& a, const IntExpr& b) {
  if (a == b) return 0;
  if (b.is_constant()) {
    if (b.constant() == 0) return a;
    if (b.constant() < 0 && b.constant() != std::numeric_limits<std::int64_t>::min())
      return a + IntExpr(-b.constant());
    if (a.kind() == Kind::add && a.right().is_constant())
      return a.left() + IntExpr(a.right().constant() - b.constant());
    if (a.kind() == Kind::sub && a.right().is_constant())
      return a.left() - IntExpr(a.right().constant() + b.constant());
  }
  return IntExpr::make(Kind::sub, a, b);
}

IntExpr operator*(const IntExpr& a, const IntExpr& b) {
  if (a.is_constant() && !b.is_constant()) return b * a;
  if (b.is_constant() && b.constant() == 1) return a;
  if (b.is_constant() && b.constant() == 0) return 0;
  return IntExpr::make(Kind::mul, a, b);
}

IntExpr floor_div(const IntExpr& a, const IntExpr& b) {
  if (b.is_constant() && b.constant() == 1) return a;
  if (a.is_constant() && a.constant() == 0 && !(b.is_constant() && b.constant() == 0)) return 0;
  // floor(floor(x / c) / d) is floor(x / (c d)) for positive c and d.
  if (b.is_constant() && b.constant() > 0 && a.kind() == Kind::floor_div &&
      a.right().is_constant() && a.right().constant() > 0)
    return floor_div(a.left(), IntExpr(a.right().constant() * b.constant()));
  return IntExpr::make(Kind::floor_div, a, b);
}

IntExpr mod(const IntExpr& a, const IntExpr& b) {
  if (b.is_constant() && b.constant() == 1) return 0;
  return IntExpr::make(Kind::mod, a, b);
}

IntExpr minimum(const IntExpr& a, const IntExpr& b) {
  return a == b ? a : IntExpr::make(Kind::minimum, a, b);
}

IntExpr maximum(const IntExpr& a, const IntExpr& b) {
  return a == b ? a : IntExpr::make(Kind::maximum, a, b);
}

std::int64_t IntExpr::evaluate(
    const std::function<std::int64_t(const std::string&)>& symbol) const {
  if (kind() == Kind::constant) return constant();
  if (kind() == Kind::symbol) return symbol(name());
  return apply(kind(), left().evaluate(symbol), right().evaluate(symbol));
}

IntExpr IntExpr::replaced(const std::function<IntExpr(const std::string&)>& name) const {
  if (kind() == Kind::constant) return *this;
  if (kind() == Kind::symbol) return name(this->name());
  const IntExpr a = left().replaced(name), b = right().replaced(name);
  switch (kind()) {
    case Kind::add: return a + b;
    case Kind::sub: return a - b;
    case Kind::mul: return a * b;
    case Kind::floor_div: return floor_div(a, b);
    case Kind::mod: return mod(a, b);
    case Kind::minimum: return minimum(a, b);
    default: return maximum(a, b);
  }
}

std::string IntExpr::print(const std::function<std::string(const std::string&)>& symbol) const {
  const auto operand = [&](const IntExpr& e, int at_least) {
    std::string text = e.print(symbol);
    return level(e) < at_least ? "(" + text + ")" : text;
  };
  const auto call = [&](const char* function) {
    return std::string(function) + "(" + left().print(symbol) + ", " + right().print(symbol) + ")";
  };
  switch (kind()) {
    case Kind::constant: return std::to_string(constant());
    case Kind::symbol: return symbol(name());
    case Kind::add: return operand(left(), 1) + " + " + operand(right(), 2);
    case Kind::sub: return operand(left(), 1) + " - " + operand(right(), 2);
    case Kind::mul: return operand(left(), 2) + " * " + operand(right(), 3);
    case Kind::floor_div:
      if (!plain_division(*this)) return call("floor_div");
      return operand(left(), 2) + " / " + operand(right(), 3);
    case Kind::mod:
      if (!plain_division(*this)) return call("floor_mod");
      return operand(left(), 2) + " % " + operand(right(), 3);
    case Kind::minimum: return call("min");
    case Kind::maximum: return call("max");
  }
  return "?";
}

}  // namespace tilewright::ir
