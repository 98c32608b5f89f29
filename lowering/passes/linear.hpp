// Linear forms over run-time names, and what is known about their signs. Bounds of loop domains are
// built from these: a sum is kept in one normal form, so that equal bounds meet, terms cancel, and
// "this one is never the smaller" can be proved. Used by zones.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ir/domain.hpp"

namespace tilewright::passes {

/// constant + sum of coefficient * atom; an atom is a symbol or an expression that is not linear.
class Linear {
 public:
  using Term = std::pair<ir::IntExpr, std::int64_t>;

  Linear(std::int64_t constant = 0) : constant_(constant) {}  // NOLINT: a number is a form
  /// Takes sums, differences and multiples apart; anything else becomes an atom.
  explicit Linear(const ir::IntExpr& expression);

  std::int64_t constant() const { return constant_; }
  const std::vector<Term>& terms() const { return terms_; }
  bool is_constant() const { return terms_.empty(); }
  bool is(std::int64_t value) const { return terms_.empty() && constant_ == value; }

  friend Linear operator+(const Linear& a, const Linear& b);
  friend Linear operator-(const Linear& a, const Linear& b);
  friend Linear operator*(const Linear& a, std::int64_t factor);
  friend bool operator==(const Linear& a, const Linear& b);

  /// Positive terms first, as a person would write it.
  ir::IntExpr expression() const;

 private:
  void add(const ir::IntExpr& atom, std::int64_t coefficient);

  std::int64_t constant_ = 0;
  std::vector<Term> terms_;  ///< in order of appearance, no atom twice, no zero
};

Linear product(const Linear& a, const Linear& b);
/// Rounds toward -inf. Terms that `divisor` divides leave the quotient exactly.
Linear floor_quotient(const Linear& a, const Linear& divisor);

/// What is known of the names: blocks of rows lie inside their extent, counts are not negative.
class Facts {
 public:
  /// first(dim) <= last(dim) < extent(dim).
  void rows(const std::string& dim);
  /// 0 <= symbol < extent(dim).
  void inside(const std::string& symbol, const std::string& dim);
  /// `form` >= 0.
  void not_negative(Linear form);
  /// How many forms a question may look at before it is left open.
  void try_at_most(int steps) { most_steps_ = steps; }

  /// True when form >= 0 follows; false when it does not, or when this cannot see it.
  bool proves_not_negative(const Linear& form) const;

 private:
  Linear substitute(const Linear& form) const;
  bool follows(const Linear& target) const;
  bool lower_bound_holds(const Linear& form) const;
  bool signs_hold(const Linear& form, bool expand_positive) const;
  bool atom_not_negative(const ir::IntExpr& atom) const;

  std::map<std::string, Linear> replacement_;
  std::vector<Linear> known_;
  int most_steps_ = 600;   ///< of one question, those of its parts included
  mutable int steps_ = 0;  ///< taken so far for the question at hand
};

}  // namespace tilewright::passes
