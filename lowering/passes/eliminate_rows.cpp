// See eliminate_rows.hpp.
#include "passes/eliminate_rows.hpp"

#include <numeric>
#include <utility>

#include "passes/mask_bounds.hpp"
#include "passes/row_periods.hpp"

namespace tilewright::passes {

namespace {

constexpr std::size_t most_zones = 8;

/// form >= 0, an affine tile of k, and of q times `q`.
struct Condition {
  Affine form;
  bool by_bounds = false;  ///< a bound on k that goes by the row, not from `rest`
};

Affine number(const Linear& constant) {
  Affine form;
  form.constant = constant;
  return form;
}

/// coefficient * floor((k + offset) / divisor)
Affine steps_of_k(const Linear& coefficient, const Linear& offset, const Linear& divisor) {
  Affine form;
  if (divisor.is(1) && coefficient.is_constant()) {
    form.k = coefficient.constant();
    form.constant = offset * form.k;
  } else {
    form.quotients.push_back({coefficient, 1, 0, offset, divisor});
  }
  return form;
}

class Elimination {
 public:
  Elimination(const Zone& zone, const TileSpace& space, MaskReader& reader)
      : zone_(zone), space_(space), reader_(reader) {}

  std::optional<std::vector<Zone>> zones() {
    Zone bare = zone_;
    bare.rest.clear();
    bare.settled = true;
    zones_ = {std::move(bare)};
    if (!collect()) return std::nullopt;
    for (const Condition& low : at_least_)
      for (const Condition& high : at_most_)
        if (!meet(low, high)) return std::nullopt;
    return std::move(zones_);
  }

 private:
  /// Sorts what is known of the row. False where it cannot be put as a bound on q.
  bool collect() {
    for (const Bound& bound : zone_.bounds) {
      const RowFunction& f = bound.limit;
      if (f.kind == RowFunction::Kind::table) return false;
      if (f.kind == RowFunction::Kind::constant) {
        if (bound.kind == Bound::Kind::q_lower) of_row(true, f.offset);
        if (bound.kind == Bound::Kind::q_upper) of_row(false, f.offset);
        continue;
      }
      Affine form;
      const bool step = f.kind == RowFunction::Kind::step;
      const Linear divisor = step ? f.divisor : 1, scale = step ? f.scale : 1;
      if (bound.kind == Bound::Kind::k_lower) {  // q <= divisor floor((k - offset) / scale) + …
        form = steps_of_k(divisor, f.offset * -1, scale);
        form.constant = form.constant + divisor - 1 - f.shift;
        form.q = -1;
        at_most_.push_back({form, true});
      } else {  // q >= divisor ceil((k - offset) / scale) - …
        form = steps_of_k(divisor * -1, scale - 1 - f.offset, scale);
        form.constant = form.constant + f.shift;
        form.q = 1;
        at_least_.push_back({form, true});
      }
    }
    for (const Congruence& congruence : zone_.congruences)
      if (congruence.q != 0) return false;
    of_row(true, space_.first_row);
    of_row(false, space_.last_row);
    for (const Remaining& remaining : zone_.rest) {
      const Affine& form = remaining.form;
      if (!form.tables.empty() || !form.choices.empty()) return false;
      for (const Quotient& quotient : form.quotients)
        if (quotient.q != 0) return false;
      if (form.q == 0 && !ask(form)) return false;
      if (form.q != 0) (form.q > 0 ? at_least_ : at_most_).push_back({form});
    }
    return true;
  }

  void of_row(bool lower, const Linear& limit) {
    Affine form = number(lower ? limit * -1 : limit);
    form.q = lower ? 1 : -1;
    (lower ? at_least_ : at_most_).push_back({form});
  }

  /// low.q q + … >= 0 and high.q q + … >= 0 have a row in common.
  bool meet(const Condition& low, const Condition& high) {
    const bool range_low = is_range(low.form), range_high = is_range(high.form);
    // What bounds on k say at the first and the last row is read off them (zones.cpp).
    if ((range_low || low.by_bounds) && range_high) return true;
    if (range_low && high.by_bounds) return true;
    const std::int64_t m = low.form.q, n = -high.form.q;
    if (m == 1 || n == 1) return ask(low.form * n + high.form * m);
    // n q <= y is q <= floor(y / n). What is left is one arc where both ask for the same slope.
    if (!high.form.quotients.empty()) return false;
    Affine form = low.form;
    form.q = 0;
    form.quotients.push_back({m, high.form.k, 0, high.form.constant, n});
    if (ask(form)) return true;
    if (!low.form.quotients.empty()) return false;
    const auto period = [](std::int64_t k, std::int64_t by) { return by / std::gcd(k, by); };
    return period(high.form.k, n) <= period(low.form.k, m)
               ? add(by_remainder(low.form, m, high.form, n))
               : add(by_remainder(high.form, n, low.form, m));
  }

  /// m q and n q lie between bounds of different slopes: between a's and b's there is a row where m
  /// floor(b / n) + a >= 0. Of keys that leave the same remainder, which decides what the quotient
  /// rounds off, that is a bound.
  static std::vector<Zone> by_remainder(const Affine& a, std::int64_t m, const Affine& b,
                                        std::int64_t n) {
    const std::int64_t period = n / std::gcd(b.k, n);
    const std::int64_t slope = m * (b.k * period / n) + a.k * period;
    std::vector<Zone> zones;
    for (std::int64_t rest = 0; rest < period; ++rest) {  // k = period * t + rest
      const Linear at_rest =
          floor_quotient(b.constant + b.k * rest, n) * m + a.constant + a.k * rest;
      Bound bound{.limit = {.offset = at_rest}};
      if (slope > 0) {
        bound.kind = Bound::Kind::k_lower;
        bound.limit.offset = floor_quotient(at_rest, slope) * -period + rest;
      } else if (slope < 0) {
        bound.kind = Bound::Kind::k_upper;
        bound.limit.offset = floor_quotient(at_rest, -slope) * period + rest;
      }
      Zone zone;
      zone.bounds.push_back(bound);
      if (period > 1)
        zone.congruences.push_back({.k = 1, .offset = -rest, .modulus = period, .reach = 0});
      zones.push_back(std::move(zone));
    }
    return zones;
  }
  static bool is_range(const Affine& form) { return form.k == 0 && form.quotients.empty(); }

  /// Adds form >= 0, of k alone, to every zone.
  bool ask(const Affine& form) {
    const auto found = zones_of(form);
    return found && add(*found);
  }

  /// Adds what the keys must keep, one of `found`, to every zone.
  bool add(const std::vector<Zone>& found) {
    if (zones_.size() * found.size() > most_zones) return false;
    std::vector<Zone> more;
    for (const Zone& zone : zones_)
      for (const Zone& one : found) {
        more.push_back(zone);
        more.back().bounds.insert(more.back().bounds.end(), one.bounds.begin(), one.bounds.end());
        more.back().congruences.insert(more.back().congruences.end(), one.congruences.begin(),
                                       one.congruences.end());
      }
    zones_ = std::move(more);
    return true;
  }

  std::optional<std::vector<Zone>> zones_of(const Affine& form) {
    if (form.is_constant() && space_.facts.proves_not_negative(form.constant))
      return std::vector{Zone{}};
    if (const auto bound = bound_of(form, reader_)) {
      Zone zone;
      zone.bounds.push_back(*bound);
      return std::vector{zone};
    }
    if (auto zones = congruence_zones(form, Comparison::at_least)) return zones;
    return periodic_zones(form, [&](const Linear& x) { return reader_.is_positive(x); });
  }

  const Zone& zone_;
  const TileSpace& space_;
  MaskReader& reader_;
  std::vector<Condition> at_least_, at_most_;
  std::vector<Zone> zones_;
};

}  // namespace

namespace {

/// Of a zone whose rows come in periods: the ends, and what is between them.
std::optional<std::vector<Zone>> without_periods(const Zone& zone, const TileSpace& space,
                                                 MaskReader& reader) {
  const auto periods = row_periods(zone, space);
  if (!periods) return std::nullopt;
  std::vector<Zone> all;
  for (const Zone& end : periods->ends) {
    const auto zones = Elimination(end, space, reader).zones();
    if (!zones) return std::nullopt;
    all.insert(all.end(), zones->begin(), zones->end());
  }
  // Remainders and periods are apart: what the former ask of the keys is added to the latter.
  Zone remainders;
  remainders.rest = periods->between.rest;
  TileSpace of_period = space;
  of_period.first_row = periods->least;
  of_period.last_row = periods->most;
  const auto zones = Elimination(remainders, of_period, reader).zones();
  if (!zones) return std::nullopt;
  for (const Zone& asked : *zones) {
    Zone one = periods->between;
    one.rest.clear();
    one.bounds.insert(one.bounds.end(), asked.bounds.begin(), asked.bounds.end());
    one.congruences.insert(one.congruences.end(), asked.congruences.begin(),
                           asked.congruences.end());
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

std::optional<std::vector<Zone>> without_rows(const Zone& whole, const TileSpace& space,
                                              MaskReader& reader) {
  const Zone zone = with_known_quotients(whole, reader);
  if (has_row_periods(zone)) return without_periods(zone, space, reader);
  if (zone.rest.empty() && !whole.rest.empty()) return std::vector{zone};
  return Elimination(zone, space, reader).zones();
}

}  // namespace tilewright::passes
