// Linear forms and the small prover (linear.hpp). The prover replaces each name by non-negative
// differences (last = first + d) and then looks at signs alone: cheap, and enough for loop bounds.
#include "passes/linear.hpp"

#include <algorithm>
#include <iterator>
#include <string>

namespace tilewright::passes {

using ir::IntExpr;
using Kind = IntExpr::Kind;

Linear::Linear(const IntExpr& e) {
  switch (e.kind()) {
    case Kind::constant: constant_ = e.constant(); return;
    case Kind::add: *this = Linear(e.left()) + Linear(e.right()); return;
    case Kind::sub: *this = Linear(e.left()) - Linear(e.right()); return;
    case Kind::mul:
      if (e.right().is_constant()) {
        *this = Linear(e.left()) * e.right().constant();
        return;
      }
      break;
    default: break;
  }
  terms_.emplace_back(e, 1);
}

void Linear::add(const IntExpr& atom, std::int64_t coefficient) {
  for (auto it = terms_.begin(); it != terms_.end(); ++it)
    if (it->first == atom) {
      it->second += coefficient;
      if (it->second == 0) terms_.erase(it);
      return;
    }
  if (coefficient != 0) terms_.emplace_back(atom, coefficient);
}

Linear operator+(const Linear& a, const Linear& b) {
  Linear sum = a;
  sum.constant_ += b.constant_;
  for (const auto& [atom, coefficient] : b.terms_) sum.add(atom, coefficient);
  return sum;
}

Linear operator*(const Linear& a, std::int64_t factor) {
  Linear result(a.constant_ * factor);
  for (const auto& [atom, coefficient] : a.terms_) result.add(atom, coefficient * factor);
  return result;
}

Linear operator-(const Linear& a, const Linear& b) { return a + b * -1; }

bool operator==(const Linear& a, const Linear& b) { return (a - b).is(0); }

namespace {

std::string order_of(const IntExpr& atom) {
  const std::string text = atom.print([](const std::string& symbol) { return symbol; });
  if (atom.kind() != Kind::symbol) return "9" + text;
  static constexpr const char* names[] = {"first(", "last(", "tile(", "extent(", "scalar("};
  for (std::size_t i = 0; i < std::size(names); ++i)
    if (text.starts_with(names[i])) return std::to_string(i) + text;
  return "8" + text;
}

}  // namespace

IntExpr Linear::expression() const {
  IntExpr sum = 0;
  bool started = false;
  // One order for all: rows, extents, arguments, values, then what is not a name.
  std::vector<std::pair<std::string, Term>> terms;
  for (const Term& term : terms_) terms.emplace_back(order_of(term.first), term);
  std::sort(terms.begin(), terms.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto signed_terms = [&](bool positive) {
    for (const auto& [order, term] : terms) {
      const auto& [atom, coefficient] = term;
      if ((coefficient > 0) != positive) continue;
      const IntExpr product = atom * IntExpr(positive ? coefficient : -coefficient);
      if (!started && positive)
        sum = product;
      else
        sum = positive ? sum + product : sum - product;
      started = true;
    }
  };
  signed_terms(true);
  if (!started) sum = constant_;
  const bool has_sum = started;
  signed_terms(false);
  return has_sum ? sum + IntExpr(constant_) : sum;
}

Linear product(const Linear& a, const Linear& b) {
  if (a.is_constant()) return b * a.constant();
  if (b.is_constant()) return a * b.constant();
  // Distribute over sums, so that C * floor(x / C) stays one recognisable atom.
  Linear sum;
  const auto parts = [](const Linear& form) {
    std::vector<Linear::Term> all = form.terms();
    if (form.constant() != 0) all.emplace_back(IntExpr(1), form.constant());
    return all;
  };
  for (const auto& [x, m] : parts(a))
    for (const auto& [y, n] : parts(b)) {
      // The divisor of a quotient stands right of it.
      const bool swap = y.kind() == Kind::floor_div && x.kind() != Kind::floor_div;
      sum = sum + Linear(swap ? y * x : x * y) * (m * n);
    }
  return sum;
}

Linear floor_quotient(const Linear& a, const Linear& divisor) {
  if (divisor.is(1)) return a;
  if (divisor.is_constant() && divisor.constant() > 0) {
    Linear exact;
    Linear rest = a;
    for (const auto& [atom, coefficient] : a.terms())
      if (coefficient % divisor.constant() == 0) {
        exact = exact + Linear(atom) * (coefficient / divisor.constant());
        rest = rest - Linear(atom) * coefficient;
      }
    return exact + Linear(floor_div(rest.expression(), divisor.expression()));
  }
  return Linear(floor_div(a.expression(), divisor.expression()));
}

namespace {

Linear symbol(const std::string& name) { return Linear(IntExpr::symbol(name)); }

}  // namespace

void Facts::rows(const std::string& dim) {
  const Linear last = symbol("first(" + dim + ")") + symbol("+rows(" + dim + ")");
  replacement_["last(" + dim + ")"] = last;
  replacement_["extent(" + dim + ")"] = last + 1 + symbol("+after(" + dim + ")");
}

void Facts::inside(const std::string& name, const std::string& dim) {
  known_.push_back(symbol(name));
  const std::string extent = "extent(" + dim + ")";
  if (!replacement_.contains(extent))
    replacement_[extent] = symbol(name) + 1 + symbol("+after(" + dim + ")");
}

void Facts::not_negative(Linear form) { known_.push_back(substitute(form)); }

Linear Facts::substitute(const Linear& form) const {
  Linear result(form.constant());
  for (const auto& [atom, coefficient] : form.terms()) {
    const auto found =
        atom.kind() == Kind::symbol ? replacement_.find(atom.name()) : replacement_.end();
    result = result + (found == replacement_.end() ? Linear(atom) : found->second) * coefficient;
  }
  return result;
}

bool Facts::atom_not_negative(const IntExpr& atom) const {
  switch (atom.kind()) {
    case Kind::symbol: {
      const std::string& name = atom.name();
      if (name.starts_with('+') || name.starts_with("first(") || name.starts_with("last(") ||
          name.starts_with("extent(") || name.starts_with("tile("))
        return true;
      return std::any_of(known_.begin(), known_.end(), [&](const Linear& form) {
        return form.constant() == 0 && form.terms().size() == 1 && form.terms()[0].second == 1 &&
               form.terms()[0].first == atom;
      });
    }
    case Kind::maximum:
      return proves_not_negative(Linear(atom.left())) || proves_not_negative(Linear(atom.right()));
    case Kind::minimum:
    case Kind::mul:
    case Kind::floor_div:
      return proves_not_negative(Linear(atom.left())) && proves_not_negative(Linear(atom.right()));
    case Kind::mod: return atom.right().is_constant() && atom.right().constant() > 0;
    default: return proves_not_negative(Linear(atom));
  }
}

/// C * floor(x / C) is x minus a remainder between 0 and C - 1: at least x - (C - 1), at most x.
/// The least value the form can take by that is then judged by signs.
bool Facts::lower_bound_holds(const Linear& form) const {
  return signs_hold(form, true) || signs_hold(form, false);
}

bool Facts::signs_hold(const Linear& form, bool expand_positive) const {
  Linear least(form.constant());
  for (const auto& [atom, coefficient] : form.terms()) {
    IntExpr quotient = atom;
    std::int64_t multiple = coefficient;
    bool scaled = false;
    if (atom.kind() == Kind::floor_div && atom.right().is_constant() &&
        atom.right().constant() > 0 && coefficient % atom.right().constant() == 0) {
      multiple = coefficient / atom.right().constant();
      scaled = true;
    } else if (atom.kind() == Kind::mul && atom.left().kind() == Kind::floor_div &&
               atom.left().right() == atom.right() && atom.right().kind() == Kind::symbol) {
      quotient = atom.left();
      scaled = true;
    }
    if (!scaled || (multiple > 0 && !expand_positive)) {
      least = least + Linear(atom) * coefficient;
      continue;
    }
    least = least + substitute(Linear(quotient.left())) * multiple;
    if (multiple > 0) least = least - (substitute(Linear(quotient.right())) - 1) * multiple;
  }
  if (least.constant() < 0) return false;
  for (const auto& [atom, coefficient] : least.terms())
    if (coefficient < 0 || !atom_not_negative(atom)) return false;
  return true;
}

namespace {

/// What shares no name with a form says nothing of it.
bool meets(const Linear& a, const Linear& b) {
  for (const auto& [atom, coefficient] : a.terms())
    for (const auto& [other, count] : b.terms())
      if (atom == other) return true;
  return false;
}

}  // namespace

bool Facts::proves_not_negative(const Linear& form) const {
  const Linear target = substitute(form);
  if (target.is_constant()) return target.constant() >= 0;
  const bool outermost = steps_ == 0;
  const bool holds = follows(target);
  if (outermost) steps_ = 0;
  return holds;
}

bool Facts::follows(const Linear& target) const {
  const auto seen = [&](const Linear& form) {
    return ++steps_ <= most_steps_ && lower_bound_holds(form);
  };
  if (seen(target)) return true;
  for (std::size_t i = 0; i < known_.size() && steps_ <= most_steps_; ++i) {
    if (!meets(target, known_[i])) continue;
    const Linear once = target - known_[i];
    if (seen(once)) return true;
    for (const Linear& other : known_)
      if (meets(once, other) && seen(once - other)) return true;
  }
  return false;
}

}  // namespace tilewright::passes
