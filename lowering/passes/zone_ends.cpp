// See zone_ends.hpp.
#include "passes/zone_ends.hpp"

#include <algorithm>

namespace tilewright::passes {

std::vector<Linear> strongest(const std::vector<Linear>& forms, bool largest, const Facts& facts) {
  std::vector<Linear> kept;
  const auto covers = [&](const Linear& a, const Linear& b) {
    return facts.proves_not_negative(largest ? a - b : b - a);
  };
  for (const Linear& form : forms) {
    if (std::any_of(kept.begin(), kept.end(), [&](const Linear& k) { return covers(k, form); }))
      continue;
    std::erase_if(kept, [&](const Linear& k) { return covers(form, k); });
    kept.push_back(form);
  }
  return kept;
}

namespace {

bool is_sum(const RowFunction& f) { return f.scale.is(1) && f.divisor.is(1); }

}  // namespace

ZoneEnds::ZoneEnds(const Zone& zone, const TileSpace& tile_space)
    : space(tile_space), facts(tile_space.facts) {
  q_low = {space.first_row};
  q_high = {space.last_row};
  for (const Bound& bound : zone.bounds) {
    const bool by_row = bound.limit.kind != RowFunction::Kind::constant;
    switch (bound.kind) {
      case Bound::Kind::guard: require(bound.limit.offset); break;
      case Bound::Kind::q_lower: q_low.push_back(bound.limit.offset); break;
      case Bound::Kind::q_upper: q_high.push_back(bound.limit.offset); break;
      case Bound::Kind::row:
        ++tables;
        require(bound.limit.most());
        break;
      case Bound::Kind::k_lower:
        if (by_row)
          lower.push_back(bound.limit);
        else
          k_low.push_back(bound.limit.offset);
        break;
      case Bound::Kind::k_upper:
        if (by_row)
          upper.push_back(bound.limit);
        else
          k_high.push_back(bound.limit.offset);
        break;
    }
  }
  // Of rows that see something the bounds lie in order; were there none, the ends are far apart.
  for (const RowFunction& f : lower)
    for (const RowFunction& g : upper)
      if (f.seen && g.seen && is_sum(f) && is_sum(g)) facts.not_negative(g.most() - f.least());
  q_low = strongest(q_low, true, facts);
  q_high = strongest(q_high, false, facts);
  for (const auto* functions : {&lower, &upper})
    for (const RowFunction& f : *functions) (is_table(f) ? tables : others) += 1;
  for (const Congruence& congruence : zone.congruences) others += congruence.q != 0;
  if (!(q_low.size() == 1 && q_low[0] == space.first_row)) ++others;
  if (!(q_high.size() == 1 && q_high[0] == space.last_row)) ++others;
}

void ZoneEnds::require(const Linear& form) {
  if (facts.proves_not_negative(form)) return;
  if (form.is_constant()) {
    empty = true;
    return;
  }
  guards.push_back(form);
  facts.not_negative(form);
}

std::vector<Linear> ZoneEnds::low_ends() const {
  std::vector<Linear> low = {Linear(0)};
  low.insert(low.end(), k_low.begin(), k_low.end());
  for (const RowFunction& f : lower) {
    if (is_table(f)) {
      low.push_back(f.least());
      continue;
    }
    for (const Linear& q : q_low) low.push_back(f.at(q));
  }
  return strongest(low, true, facts);
}

std::vector<Linear> ZoneEnds::high_ends() const {
  std::vector<Linear> high = {space.extent - 1};
  high.insert(high.end(), k_high.begin(), k_high.end());
  for (const RowFunction& g : upper) {
    if (is_table(g)) {
      high.push_back(g.most());
      continue;
    }
    for (const Linear& q : q_high) high.push_back(g.at(q));
  }
  return strongest(high, false, facts);
}

}  // namespace tilewright::passes
