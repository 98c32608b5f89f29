// See tile_conditions.hpp.
#include "passes/tile_conditions.hpp"

#include <algorithm>

namespace tilewright::passes {

namespace {

using ir::IntExpr;

/// The terms of `form` that `by` divides.
Linear multiples(const Linear& form, std::int64_t by) {
  Linear whole;
  for (const auto& [atom, coefficient] : form.terms())
    if (coefficient % by == 0) whole = whole + Linear(atom) * coefficient;
  return whole;
}

bool mentions(const IntExpr& e, const IntExpr& name) {
  if (e.kind() == IntExpr::Kind::constant) return false;
  if (e.kind() == IntExpr::Kind::symbol) return e == name;
  return mentions(e.left(), name) || mentions(e.right(), name);
}

}  // namespace

void TileConditions::ask(const Congruence& congruence) {
  const Linear start = product(space_.tile, space_.width);
  const Linear end = start + space_.width - 1;
  std::vector<Linear> low = zone_.low_ends(), high = zone_.high_ends();
  Facts facts = zone_.facts;
  facts.try_at_most(60);  // there are many, and what is not seen is asked at run time
  facts.not_negative(space_.tile);
  for (const Linear& l : low) facts.not_negative(end - l);
  for (const Linear& h : high) facts.not_negative(h - start);
  for (const Linear& l : low)
    for (const Linear& h : high) facts.not_negative(h - l);
  if (space_.ragged_tile_may_join)
    std::erase_if(high, [&](const Linear& h) { return h == space_.extent - 1; });
  low.push_back(start);
  high.push_back(end);
  low = strongest(low, true, facts);
  high = strongest(high, false, facts);
  std::vector<Linear> least, most;  // of q and k with their factors
  values(congruence, low, high, least, most);
  least = strongest(least, true, facts);
  most = strongest(most, false, facts);
  for (const Linear& high_end : most)
    for (const Linear& low_end : least)
      meets(congruence, low_end + congruence.offset, high_end + congruence.offset, facts);
}

void TileConditions::values(const Congruence& congruence, const std::vector<Linear>& low,
                            const std::vector<Linear>& high, std::vector<Linear>& least,
                            std::vector<Linear>& most) {
  if (congruence.q == 0) {
    least = low;
    most = high;
    return;
  }
  bool steps = false, shifts = false;
  for (const auto* functions : {&zone_.lower, &zone_.upper})
    for (const RowFunction& f : *functions)
      (f.kind == RowFunction::Kind::shifted ? shifts : steps) = true;
  if (steps) zone_.inexact("a congruence of the rows meets the steps of a quotient");
  // Which rows have a key in the tile.
  std::vector<Linear> first = zone_.q_low, last = zone_.q_high;
  if (congruence.k == 0) {
    for (const RowFunction& f : zone_.lower)
      if (f.kind == RowFunction::Kind::shifted)
        for (const Linear& h : high) last.push_back(h - f.offset);
    for (const RowFunction& g : zone_.upper)
      if (g.kind == RowFunction::Kind::shifted)
        for (const Linear& l : low) first.push_back(l - g.offset);
    least = first;
    most = last;
    return;
  }
  if (congruence.q > 0) {
    if (shifts) zone_.inexact("a congruence of q + k meets a bound that goes by the row");
    for (const Linear& l : low)
      for (const Linear& q : first) least.push_back(l + q);
    for (const Linear& h : high)
      for (const Linear& q : last) most.push_back(h + q);
    return;
  }
  for (const Linear& l : low)
    for (const Linear& q : last) least.push_back(l - q);
  for (const Linear& h : high)
    for (const Linear& q : first) most.push_back(h - q);
  for (const RowFunction& f : zone_.lower)
    if (f.kind == RowFunction::Kind::shifted) least.push_back(f.offset);
  for (const RowFunction& g : zone_.upper)
    if (g.kind == RowFunction::Kind::shifted) most.push_back(g.offset);
}

/// Some number from `low` to `high` has a remainder up to the congruence's reach: the last
/// multiple of the modulus that is not above `high` is at least low - reach.
void TileConditions::meets(const Congruence& congruence, Linear low, Linear high,
                           const Facts& facts) {
  const Linear& modulus = congruence.modulus;
  if (facts.proves_not_negative(high - low + congruence.reach - modulus + 1)) return;
  Linear room = product(floor_quotient(high, modulus), modulus) + congruence.reach - low;
  if (modulus.is_constant() && congruence.reach.is_constant()) {
    // Multiples of the modulus leave both sides; against a number no remainder is needed.
    const Linear above = low - congruence.reach;
    const Linear whole = multiples(above, modulus.constant());
    if ((above - whole).is_constant()) {
      const Linear least =
          whole + product(floor_quotient(above - whole + (modulus - 1), modulus), modulus);
      if (facts.proves_not_negative(high - least)) return;
    }
  }
  if (facts.proves_not_negative(room)) return;
  if (room.is_constant() || !mentions_tile(room)) {
    zone_.require(room);
    return;
  }
  // An end that stays where it is while the tile moves makes a bound on the tile.
  const Linear start = product(space_.tile, space_.width);
  if (!mentions_tile(high) && !mentions_tile(room + start)) {
    last_starts_.push_back(room + start);
    return;
  }
  if (!mentions_tile(low) && !mentions_tile(high - start)) {
    const Linear from =
        product(floor_quotient(low - congruence.reach + modulus - 1, modulus), modulus);
    first_starts_.push_back(from - (high - start));
    return;
  }
  const IntExpr condition = room.expression();
  condition_ = condition_.is_constant() ? condition : minimum(condition_, condition);
  const bool repeats = !mentions_tile(high - start) && !mentions_tile(low - start);
  const IntExpr once = repeats ? modulus.expression() : IntExpr(0);
  repeats_every_ = repeats_every_ == once ? once : repeats_every_ * once;
}

bool TileConditions::mentions_tile(const Linear& form) const {
  const IntExpr tile = space_.tile.expression();
  return std::any_of(form.terms().begin(), form.terms().end(),
                     [&](const Linear::Term& term) { return mentions(term.first, tile); });
}

void TileConditions::apply(ir::TileInterval& tiles) const {
  tiles.condition = condition_;
  tiles.repeats = condition_.is_constant() ? IntExpr(0) : repeats_every_;
  for (const Linear& form : first_starts_)
    tiles.first =
        maximum(tiles.first, floor_quotient(form + space_.width - 1, space_.width).expression());
  for (const Linear& form : last_starts_)
    tiles.last = minimum(tiles.last, floor_quotient(form, space_.width).expression());
}

}  // namespace tilewright::passes
