// See congruence.hpp. A remainder of Y stands in an affine tile as Y - t * floor(Y / t), one of a
// quotient as floor(Y / a) - t * floor(Y / (a t)), which is the part a of Y's remainder by a t.
#include "passes/congruence.hpp"

#include <algorithm>
#include <numeric>

#include "passes/arcs.hpp"
#include "passes/mask_affine.hpp"
#include "passes/mask_formula.hpp"

namespace tilewright::passes {

namespace {

/// scale * floor((y % modulus) / unit) + rest, with y = q * row + k * key + offset and modulus a
/// multiple of unit.
struct Remainder {
  std::int64_t q = 0, k = 0;
  Linear offset;
  Linear modulus;
  Linear unit = 1;
  std::int64_t scale = 1;
  Linear rest;

  Linear steps;  ///< modulus / unit
};

/// The whole number m with part == whole * m, if there is one.
std::optional<std::int64_t> ratio(const Linear& part, const Linear& whole) {
  std::int64_t m = 0;
  if (whole.is_constant()) {
    if (!part.is_constant() || whole.is(0) || part.constant() % whole.constant() != 0)
      return std::nullopt;
    m = part.constant() / whole.constant();
  } else {
    const auto& [atom, coefficient] = whole.terms()[0];
    for (const auto& [other, count] : part.terms())
      if (other == atom && count % coefficient == 0) m = count / coefficient;
  }
  if (m == 0 || !(part == whole * m)) return std::nullopt;
  return m;
}

std::optional<Remainder> of_indices(const Affine& x) {
  const Quotient& quotient = x.quotients[0];
  const auto m = ratio(quotient.coefficient * -1, quotient.divisor);
  if (!m || x.k != *m * quotient.k || x.q != *m * quotient.q) return std::nullopt;
  Remainder made{quotient.q, quotient.k, quotient.offset, quotient.divisor};
  made.scale = *m;
  made.rest = x.constant - quotient.offset * *m;
  made.steps = quotient.divisor;
  return made;
}

std::optional<Remainder> of_quotient(const Affine& x, const Quotient& fine,
                                     const Quotient& coarse) {
  if (x.k != 0 || x.q != 0 || fine.k != coarse.k || fine.q != coarse.q ||
      !fine.coefficient.is_constant() || fine.coefficient.is(0))
    return std::nullopt;
  const std::int64_t m = fine.coefficient.constant();
  Linear steps;  // coarse.coefficient is -m * steps
  if (coarse.coefficient.is_constant()) {
    if (coarse.coefficient.constant() % m != 0) return std::nullopt;
    steps = coarse.coefficient.constant() / -m;
  } else if (m == 1 || m == -1) {
    steps = coarse.coefficient * -m;
  } else {
    return std::nullopt;
  }
  if (!(coarse.divisor == product(fine.divisor, steps))) return std::nullopt;
  const Linear moved = coarse.offset - fine.offset;  // a whole number of units
  const Linear units = floor_quotient(moved, fine.divisor);
  if (!moved.is(0) && !(product(fine.divisor, units) == moved)) return std::nullopt;
  Remainder made{fine.q, fine.k, coarse.offset, coarse.divisor, fine.divisor, m};
  made.rest = x.constant - (moved.is(0) ? Linear(0) : units) * m;
  made.steps = steps;
  return made;
}

std::optional<Remainder> remainder_of(const Affine& x) {
  if (!x.choices.empty() || !x.tables.empty()) return std::nullopt;
  if (x.quotients.size() == 1) return of_indices(x);
  if (x.quotients.size() != 2) return std::nullopt;
  if (auto made = of_quotient(x, x.quotients[0], x.quotients[1])) return made;
  return of_quotient(x, x.quotients[1], x.quotients[0]);
}

/// m (Y % t) - m (Z % t) == 0 is (Y - Z) % t == 0.
std::optional<Remainder> of_difference(const Affine& x) {
  if (!x.choices.empty() || !x.tables.empty() || x.quotients.size() != 2) return std::nullopt;
  const Quotient &a = x.quotients[0], &b = x.quotients[1];
  if (!(a.divisor == b.divisor) || !(a.coefficient == b.coefficient * -1)) return std::nullopt;
  const auto m = ratio(a.coefficient * -1, a.divisor);
  if (!m || x.k != *m * (a.k - b.k) || x.q != *m * (a.q - b.q) ||
      !(x.constant == (a.offset - b.offset) * *m))
    return std::nullopt;
  Remainder made{a.q - b.q, a.k - b.k, a.offset - b.offset, a.divisor};
  made.steps = a.divisor;
  return made;
}

/// Offsets a multiple of the modulus apart are one; that with the fewest words is taken.
Linear reduced(const Linear& offset, const Linear& modulus) {
  if (offset.is_constant() && modulus.is_constant())
    return floor_mod(offset.constant(), modulus.constant());
  Linear best = offset;
  for (const std::int64_t m : {-1, 1}) {
    const Linear other = offset + modulus * m;
    if (other.terms().size() < best.terms().size()) best = other;
  }
  return best;
}

class ZoneMaker {
 public:
  /// Remainders start … start + reach of y.
  std::optional<std::vector<Zone>> arc(const Remainder& y, const Linear& start, const Linear& reach,
                                       std::vector<Linear> guards = {}) {
    Congruence made{y.q, y.k, y.offset - start, y.modulus, reach};
    if (made.reach.is_constant() && made.reach.constant() < 0) return std::vector<Zone>{};
    const Linear beyond = made.reach - made.modulus + 1;
    if (beyond.is_constant() && beyond.constant() >= 0) return guarded({}, guards);
    if (!made.reach.is_constant() && !(made.reach == y.unit - 1)) guards.push_back(made.reach);
    if (made.k < 0 || (made.k == 0 && made.q < 0)) {  // -y: the arc read backwards
      made.q = -made.q, made.k = -made.k;
      made.offset = made.offset * -1 + made.reach;
    }
    made.offset = reduced(made.offset, made.modulus);
    if (made.k == 0 && made.q == 0) return std::nullopt;
    if (made.k <= 1 && (made.q == 0 || made.q == 1 || made.q == -1)) return guarded({made}, guards);
    if (made.q == 0 && made.reach.is(0) && made.modulus.is_constant() && !made.offset.is_constant())
      return solved(made, guards);
    return divided(made, guards);
  }

 private:
  /// (a k + c) % t == 0, c known at launch: k + c / a is a multiple of t, when what a and t have in
  /// common divides c.
  static std::optional<std::vector<Zone>> solved(Congruence made, std::vector<Linear> guards) {
    const std::int64_t common = std::gcd(made.k, made.modulus.constant());
    const std::int64_t modulus = made.modulus.constant() / common;
    if (modulus > most_residues) return std::nullopt;
    if (common > 1) guards.push_back(Linear(mod(made.offset.expression(), common)) * -1);
    std::int64_t inverse = 0;
    while (floor_mod(inverse * (made.k / common), modulus) != floor_mod(1, modulus)) ++inverse;
    made.offset = floor_quotient(made.offset, common) * inverse;
    made.modulus = modulus;
    made.k = 1;
    return guarded(modulus == 1 ? std::vector<Congruence>{} : std::vector{made}, guards);
  }

  /// A common factor of both indices goes into the remainders.
  static std::optional<std::vector<Zone>> divided(const Congruence& made,
                                                  const std::vector<Linear>& guards) {
    const std::int64_t factor = std::gcd(made.k, made.q);
    if (!is_constant(made) || factor == 1) return std::nullopt;
    const std::int64_t modulus = made.modulus.constant();
    const std::int64_t smaller = modulus / std::gcd(modulus, factor);
    if (smaller > most_residues) return std::nullopt;
    Congruence form = made;
    form.k /= factor, form.q /= factor;
    if (form.k > 1 || form.q > 1 || form.q < -1) return std::nullopt;
    std::vector<bool> residues;
    for (std::int64_t r = 0; r < smaller; ++r)
      residues.push_back(floor_mod(factor * r + made.offset.constant(), modulus) <=
                         made.reach.constant());
    std::vector<Zone> zones;
    for (const auto& [start, reach] : arcs_of(residues)) {
      form.offset = floor_mod(-start, smaller), form.modulus = smaller, form.reach = reach;
      const auto one = reach >= smaller - 1 ? guarded({}, guards) : guarded({form}, guards);
      zones.insert(zones.end(), one.begin(), one.end());
    }
    return zones;
  }

  static std::vector<Zone> guarded(std::vector<Congruence> congruences,
                                   const std::vector<Linear>& guards) {
    Zone zone;
    for (const Linear& guard : guards) {
      if (guard.is_constant() && guard.constant() < 0) return {};
      if (!guard.is_constant()) zone.bounds.push_back({Bound::Kind::guard, {.offset = guard}});
    }
    zone.congruences = std::move(congruences);
    return {zone};
  }
};

}  // namespace

std::optional<std::vector<Zone>> congruence_zones(const Affine& x, Comparison how) {
  auto y = remainder_of(x);
  if (!y && how != Comparison::at_least) y = of_difference(x);
  if (!y) return std::nullopt;
  ZoneMaker make;
  const std::int64_t size = y->scale < 0 ? -y->scale : y->scale;
  if (how == Comparison::at_least) {
    if (y->scale < 0)  // floor(r / unit) <= floor(rest / size)
      return make.arc(*y, 0, product(y->unit, floor_quotient(y->rest, size) + 1) - 1);
    const Linear start = product(y->unit, floor_quotient(y->rest, size) * -1);
    return make.arc(*y, start, y->modulus - 1 - start);
  }
  const bool equal = how == Comparison::equal;
  Linear wanted = y->rest * (y->scale > 0 ? -1 : 1);
  if (size > 1) {
    if (!wanted.is_constant()) return std::nullopt;
    if (wanted.constant() % size != 0) return equal ? std::vector<Zone>{} : std::vector{Zone{}};
    wanted = wanted.constant() / size;
  }
  const Linear start = product(y->unit, wanted);
  const std::vector<Linear> inside = {wanted, y->steps - 1 - wanted};
  if (equal) return make.arc(*y, start, y->unit - 1, wanted.is(0) ? std::vector<Linear>{} : inside);
  auto zones = make.arc(*y, start + y->unit, y->modulus - y->unit - 1);
  if (!zones || wanted.is(0)) return zones;
  for (const Linear& form : inside) {  // a remainder there is none of: never equal
    const Linear outside = form * -1 - 1;
    if (outside.is_constant() && outside.constant() < 0) continue;
    Zone zone;
    if (!outside.is_constant()) zone.bounds.push_back({Bound::Kind::guard, {.offset = outside}});
    zones->push_back(zone);
  }
  return zones;
}

namespace {

Zone guarded_by(const Linear& form) {
  Zone zone;
  if (!form.is_constant()) zone.bounds.push_back({Bound::Kind::guard, {.offset = form}});
  return zone;
}

/// floor((k + a) / c) - floor((k + b) / c) >= t: the difference is floor((a - b) / c), and one more
/// for as many remainders of k + a as a - b leaves.
std::vector<Zone> steps_apart(const Quotient& up, const Quotient& down, const Linear& t) {
  std::vector<Zone> zones;
  const Linear apart = up.offset - down.offset;
  const Linear least = floor_quotient(apart, up.divisor);
  const auto impossible = [](const Linear& form) {
    return form.is_constant() && form.constant() < 0;
  };
  if (!impossible(least - t)) zones.push_back(guarded_by(least - t));
  const Linear reach = apart - product(least, up.divisor) - 1;
  if (impossible(least + 1 - t) || impossible(reach)) return zones;
  Zone one = guarded_by(least + 1 - t);
  if (!reach.is_constant()) one.bounds.push_back({Bound::Kind::guard, {.offset = reach}});
  one.congruences.push_back({0, 1, reduced(up.offset, up.divisor), up.divisor, reach});
  zones.push_back(std::move(one));
  return zones;
}

}  // namespace

std::optional<std::vector<Zone>> periodic_zones(
    const Affine& x, const std::function<bool(const Linear&)>& is_positive) {
  if (x.q != 0 || !x.choices.empty() || !x.tables.empty()) return std::nullopt;
  if (x.k == 0 && x.quotients.size() == 2) {
    const Quotient &a = x.quotients[0], &b = x.quotients[1];
    if (a.k == 1 && b.k == 1 && a.q == 0 && b.q == 0 && a.divisor == b.divisor &&
        a.coefficient == b.coefficient * -1 && is_positive(a.divisor)) {
      if (is_positive(a.coefficient))
        return steps_apart(a, b, floor_quotient(x.constant, a.coefficient) * -1);
      if (is_positive(b.coefficient))
        return steps_apart(b, a, floor_quotient(x.constant, b.coefficient) * -1);
    }
  }
  if (!x.constant.is_constant()) return std::nullopt;
  std::int64_t period = 1;
  for (const Quotient& term : x.quotients) {
    if (!term.coefficient.is_constant() || !term.offset.is_constant() ||
        !term.divisor.is_constant() || term.q != 0)
      return std::nullopt;
    period = std::lcm(period, term.divisor.constant());
    if (period > most_residues) return std::nullopt;
  }
  const auto at = [&](std::int64_t k) {
    std::int64_t sum = x.k * k + x.constant.constant();
    for (const Quotient& term : x.quotients) {
      const std::int64_t y = term.k * k + term.offset.constant(), by = term.divisor.constant();
      sum += term.coefficient.constant() * ((y - floor_mod(y, by)) / by);
    }
    return sum;
  };
  if (at(0) != at(period)) return std::nullopt;
  std::vector<bool> residues;
  for (std::int64_t r = 0; r < period; ++r) residues.push_back(at(r) >= 0);
  const auto arcs = arcs_of(residues);
  if (arcs.size() > most_arcs) return std::nullopt;
  std::vector<Zone> zones;
  for (const auto& [start, reach] : arcs) {
    Zone zone;
    if (reach < period - 1)
      zone.congruences.push_back({0, 1, floor_mod(-start, period), period, reach});
    zones.push_back(std::move(zone));
  }
  return zones;
}

}  // namespace tilewright::passes
