// See row_periods.hpp.
#include "passes/row_periods.hpp"

#include <algorithm>

#include "passes/mask_bounds.hpp"

namespace tilewright::passes {

namespace {

using Kind = Bound::Kind;

Linear period_of(const Linear& q, const Quotient& of) {
  return floor_quotient(q + of.offset, of.divisor);
}

/// floor((k + offset) / divisor) where constant bounds of the zone leave one value.
std::optional<std::int64_t> value_of(const Quotient& quotient, const Zone& zone) {
  if (quotient.q != 0 || quotient.k != 1 || !quotient.offset.is_constant() ||
      !quotient.divisor.is_constant())
    return std::nullopt;
  std::int64_t low = 0;
  std::optional<std::int64_t> high;
  for (const Bound& bound : zone.bounds) {
    if (bound.limit.kind != RowFunction::Kind::constant || !bound.limit.offset.is_constant())
      continue;
    const std::int64_t limit = bound.limit.offset.constant();
    if (bound.kind == Kind::k_lower) low = std::max(low, limit);
    if (bound.kind == Kind::k_upper) high = high ? std::min(*high, limit) : limit;
  }
  if (!high) return std::nullopt;
  const Linear first = period_of(low, quotient), last = period_of(*high, quotient);
  if (!(first == last)) return std::nullopt;
  return first.constant();
}

/// floor((k + a) / t) - floor((q + b) / t) where two steps of the zone leave one value.
std::optional<std::int64_t> difference_of(const Quotient& k, const Quotient& q, const Zone& zone) {
  const auto steps = [&](const Bound& bound) {
    return bound.limit.kind == RowFunction::Kind::step && bound.limit.scale == q.divisor &&
           bound.limit.divisor == q.divisor && bound.limit.shift == q.offset;
  };
  for (const Bound& low : zone.bounds)
    for (const Bound& high : zone.bounds) {
      if (low.kind != Kind::k_lower || high.kind != Kind::k_upper || !steps(low) || !steps(high) ||
          !(high.limit.offset - low.limit.offset == q.divisor - 1))
        continue;
      const Linear apart = floor_quotient(low.limit.offset + k.offset, q.divisor);
      if (apart.is_constant() && product(apart, q.divisor) == low.limit.offset + k.offset)
        return apart.constant();
    }
  return std::nullopt;
}

/// Adds what a congruence of k says where k stays within one period.
bool as_bounds(const Congruence& congruence, Zone& zone) {
  if (congruence.q != 0 || !congruence.offset.is_constant() || !congruence.reach.is_constant())
    return false;
  const auto number = value_of({1, 1, 0, 0, congruence.modulus}, zone);
  if (!number) return false;
  const std::int64_t period = congruence.modulus.constant();
  const std::int64_t start = ((-congruence.offset.constant()) % period + period) % period;
  if (start + congruence.reach.constant() >= period) return false;
  const std::int64_t least = *number * period + start;
  zone.bounds.push_back({Kind::k_lower, {.offset = least}});
  zone.bounds.push_back({Kind::k_upper, {.offset = least + congruence.reach}});
  return true;
}

bool is_of_rows(const Quotient& quotient) { return quotient.q != 0; }

}  // namespace

Zone with_known_quotients(Zone zone, MaskReader& reader) {
  std::erase_if(zone.congruences, [&](const Congruence& c) { return as_bounds(c, zone); });
  std::vector<Remaining> left;
  for (Remaining& remaining : zone.rest) {
    Affine& form = remaining.form;
    bool changed = false;
    for (std::size_t i = 0; i < form.quotients.size();) {
      const auto value = value_of(form.quotients[i], zone);
      if (!value) {
        ++i;
        continue;
      }
      form.constant = form.constant + form.quotients[i].coefficient * *value;
      form.quotients.erase(form.quotients.begin() + static_cast<std::ptrdiff_t>(i));
      changed = true;
    }
    if (form.quotients.size() == 2) {
      Quotient k = form.quotients[0], q = form.quotients[1];
      if (is_of_rows(k)) std::swap(k, q);
      const bool apart = k.k == 1 && k.q == 0 && q.k == 0 && q.q == 1 && k.divisor == q.divisor &&
                         k.coefficient == q.coefficient * -1;
      if (const auto value = apart ? difference_of(k, q, zone) : std::nullopt) {
        form.constant = form.constant + k.coefficient * *value;
        form.quotients.clear();
        changed = true;
      }
    }
    const auto bound = changed ? bound_of(form, reader) : std::nullopt;
    if (bound)
      zone.bounds.push_back(*bound);
    else
      left.push_back(remaining);
  }
  zone.rest = std::move(left);
  return zone;
}

bool has_row_periods(const Zone& zone) {
  return std::any_of(zone.rest.begin(), zone.rest.end(), [](const Remaining& remaining) {
    return std::any_of(remaining.form.quotients.begin(), remaining.form.quotients.end(),
                       is_of_rows);
  });
}

std::optional<RowPeriods> row_periods(const Zone& zone, const TileSpace& space) {
  std::optional<Quotient> rows;
  for (const Remaining& remaining : zone.rest)
    for (const Quotient& quotient : remaining.form.quotients) {
      if (!is_of_rows(quotient)) continue;
      if (quotient.q != 1 || quotient.k != 0) return std::nullopt;
      if (rows && !(rows->offset == quotient.offset && rows->divisor == quotient.divisor))
        return std::nullopt;
      rows = quotient;
    }
  // Tiles of keys as long as a period hold all remainders, and need no more words.
  if (!rows || !rows->divisor.is_constant() || !space.width.is_constant() ||
      rows->divisor.constant() <= space.width.constant())
    return std::nullopt;
  const Linear& period = rows->divisor;
  const auto follows_periods = [&](const RowFunction& f) {
    return f.kind == RowFunction::Kind::step && f.divisor == period && f.shift == rows->offset;
  };
  const auto bounded = [](Zone& made, Kind kind, const Linear& limit) {
    made.bounds.push_back({kind, {.offset = limit}});
  };
  /// The rows of period `number`.
  const auto within = [&](const Linear& number) {
    Zone made = zone;
    for (Bound& bound : made.bounds)
      if (follows_periods(bound.limit)) {
        RowFunction constant;
        constant.offset = product(bound.limit.scale, number) + bound.limit.offset;
        bound.limit = constant;
      }
    for (Remaining& remaining : made.rest) {
      for (const Quotient& quotient : remaining.form.quotients)
        if (is_of_rows(quotient))
          remaining.form.constant = remaining.form.constant + product(quotient.coefficient, number);
      std::erase_if(remaining.form.quotients, is_of_rows);
    }
    return made;
  };
  const Linear first = period_of(space.first_row, *rows), last = period_of(space.last_row, *rows);
  RowPeriods made;
  made.ends.push_back(within(first));
  bounded(made.ends[0], Kind::q_upper, product(first + 1, period) - 1 - rows->offset);
  made.ends.push_back(within(last));
  bounded(made.ends[1], Kind::q_lower, product(last, period) - rows->offset);
  bounded(made.ends[1], Kind::guard, last - first - 1);

  made.between = zone;
  made.least = rows->offset * -1;
  made.most = period - 1 - rows->offset;
  for (const Bound& bound : zone.bounds) {
    const bool by_row = bound.limit.kind != RowFunction::Kind::constant;
    if (by_row ? !follows_periods(bound.limit)
               : bound.kind == Kind::q_lower || bound.kind == Kind::q_upper)
      return std::nullopt;  // the remainders of its rows would not be all of them
  }
  for (Remaining& remaining : made.between.rest) {
    Affine& form = remaining.form;
    for (const Quotient& quotient : form.quotients)
      if (is_of_rows(quotient) && !(quotient.coefficient == period * -form.q)) return std::nullopt;
    std::erase_if(form.quotients, is_of_rows);
  }
  bounded(made.between, Kind::q_lower, product(first + 1, period) - rows->offset);
  bounded(made.between, Kind::q_upper, product(last, period) - 1 - rows->offset);
  return made;
}

}  // namespace tilewright::passes
