// Long file: one reader of one zone; its steps share what is known of the rows and their ends.
// Closed forms for zones (zones.hpp). Per zone: the row range, cut by the bounds on q; the lower
// and upper ends of k over it; and what must hold for the zone to be non-empty. Emptiness is
// encoded in the ends themselves: an interval of tiles is empty when its first is after its last.
#include "passes/zones.hpp"

#include <algorithm>

namespace tilewright::passes {

namespace {

using ir::IntExpr;
using ir::TileInterval;

/// The largest (or smallest) of several forms, without those that another one makes superfluous.
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

IntExpr joined(const std::vector<Linear>& forms, bool largest) {
  IntExpr result = forms[0].expression();
  for (std::size_t i = 1; i < forms.size(); ++i) {
    const IntExpr next = forms[i].expression();
    result = largest ? maximum(result, next) : minimum(result, next);
  }
  return result;
}

class ZoneReader {
 public:
  ZoneReader(const Zone& zone, const TileSpace& space)
      : zone_(zone), space_(space), facts_(space.facts) {}

  /// Nothing when the zone is empty whatever the numbers.
  std::optional<TileInterval> interval() {
    collect();
    if (empty_) return std::nullopt;
    for (const RowFunction& f : lower_)
      for (const RowFunction& g : upper_)
        if (!is_table(f) && !is_table(g)) pair(f, g);
    for (const Linear& low : q_low_)
      for (const Linear& high : q_high_) require(high - low);
    check_tables();
    check_repeats();
    for (const Congruence& congruence : zone_.congruences) ask(congruence);
    if (empty_) return std::nullopt;
    return tiles();
  }

  bool exact() const { return note.empty(); }
  std::string note;  ///< why the tiles may be too many

 private:
  void collect() {
    q_low_ = {space_.first_row};
    q_high_ = {space_.last_row};
    for (const Bound& bound : zone_.bounds) {
      const bool by_row = bound.limit.kind != RowFunction::Kind::constant;
      switch (bound.kind) {
        case Bound::Kind::guard: require(bound.limit.offset); break;
        case Bound::Kind::q_lower: q_low_.push_back(bound.limit.offset); break;
        case Bound::Kind::q_upper: q_high_.push_back(bound.limit.offset); break;
        case Bound::Kind::row:
          ++tables_;
          require(bound.limit.most());
          break;
        case Bound::Kind::k_lower:
          if (by_row)
            lower_.push_back(bound.limit);
          else
            k_low_.push_back(bound.limit.offset);
          break;
        case Bound::Kind::k_upper:
          if (by_row)
            upper_.push_back(bound.limit);
          else
            k_high_.push_back(bound.limit.offset);
          break;
      }
    }
    q_low_ = strongest(q_low_, true, facts_);
    q_high_ = strongest(q_high_, false, facts_);
    for (const auto* functions : {&lower_, &upper_})
      for (const RowFunction& f : *functions) (is_table(f) ? tables_ : others_) += 1;
    for (const Congruence& congruence : zone_.congruences) others_ += congruence.q != 0;
    if (!(q_low_.size() == 1 && q_low_[0] == space_.first_row)) ++others_;
    if (!(q_high_.size() == 1 && q_high_[0] == space_.last_row)) ++others_;
  }

  static bool is_table(const RowFunction& f) { return f.kind == RowFunction::Kind::table; }

  /// Of one table the stretches of all rows have an end in common. Two of them, or one and another
  /// bound that goes by the row, are taken as if their extremes met in one row.
  void check_tables() {
    if (tables_ > 0 && tables_ + others_ > 1)
      inexact("between bounds that a table gives for each row, rows may leave gaps");
  }
  void inexact(const std::string& why) {
    if (note.empty()) note = why;
  }

  /// The zone is empty unless form >= 0.
  void require(const Linear& form) {
    if (facts_.proves_not_negative(form)) return;
    if (form.is_constant()) {
      empty_ = true;
      return;
    }
    guards_.push_back(form);
    facts_.not_negative(form);
  }

  /// f(q) <= g(q) for every q, and f(q + 1) <= g(q) + 1: no row is empty, no gap between rows.
  /// Both follow when a line of slope 1 fits between the two. Where they do not, and one is a step
  /// of slope 1, what the rows leave repeats with the steps: the keys of all rows are those between
  /// the ends of the first and the last row that have certain remainders.
  void pair(const RowFunction& f, const RowFunction& g) {
    using Kind = RowFunction::Kind;
    if (f.kind == Kind::shifted && g.kind == Kind::shifted) return require(g.offset - f.offset);
    const bool slopes = has_slope_one(f) && has_slope_one(g);
    if (slopes && facts_.proves_not_negative(under(g) - over(f))) return;
    const bool same = f.kind == Kind::step && g.kind == Kind::step && f.scale == g.scale &&
                      f.divisor == g.divisor && f.shift == g.shift;
    const Linear room = g.offset - f.offset;
    if (same && f.scale.is(1)) return require(room);  // at every row a stretch of the same length
    if (same && facts_.proves_not_negative(room - f.scale + 1)) return;
    if (same && slopes) return repeat(f, f.offset * -1, room);
    if (slopes && f.kind == Kind::step && g.kind == Kind::shifted)
      return repeat(f, f.offset * -1, room + f.divisor - 1 - f.shift);
    if (slopes && f.kind == Kind::shifted && g.kind == Kind::step)
      return repeat(g, g.shift - f.offset, room + g.shift);
    inexact("its bounds cross inside the steps of a quotient");
  }

  void repeat(const RowFunction& step, const Linear& offset, const Linear& reach) {
    require(reach);
    repeats_.push_back({.k = 1, .offset = offset, .modulus = step.divisor, .reach = reach});
  }

  /// Remainders that repeat come from steps of one kind, and one range of them holds the others.
  void check_repeats() {
    if (repeats_.empty()) return;
    const RowFunction* step = nullptr;
    bool alike = zone_.congruences.empty();
    for (const auto* functions : {&lower_, &upper_})
      for (const RowFunction& f : *functions) {
        if (f.kind == RowFunction::Kind::shifted) continue;
        alike = alike && has_slope_one(f) &&
                (step == nullptr || (f.divisor == step->divisor && f.shift == step->shift));
        step = &f;
      }
    for (const Congruence& one : repeats_)
      alike = alike && one.offset == repeats_[0].offset && one.modulus == repeats_[0].modulus;
    if (!alike) return inexact("its bounds cross inside the steps of a quotient");
    for (std::size_t i = 0; i < repeats_.size(); ++i)
      if (std::find(repeats_.begin(), repeats_.begin() + static_cast<std::ptrdiff_t>(i),
                    repeats_[i]) == repeats_.begin() + static_cast<std::ptrdiff_t>(i))
        ask(repeats_[i]);
  }

  static bool has_slope_one(const RowFunction& f) {
    return f.kind == RowFunction::Kind::shifted ||
           (f.kind == RowFunction::Kind::step && f.scale == f.divisor);
  }
  /// f(q) <= q + over(f)
  static Linear over(const RowFunction& f) {
    return f.kind == RowFunction::Kind::shifted ? f.offset : f.shift + f.offset;
  }
  /// g(q) >= q + under(g)
  static Linear under(const RowFunction& g) {
    return g.kind == RowFunction::Kind::shifted ? g.offset : g.shift + g.offset - g.divisor + 1;
  }

  /// The least keys of the rows (the greatest): what a tile must reach.
  std::vector<Linear> low_ends() const {
    std::vector<Linear> low = {Linear(0)};
    low.insert(low.end(), k_low_.begin(), k_low_.end());
    for (const RowFunction& f : lower_) {
      if (is_table(f)) {
        low.push_back(f.least());
        continue;
      }
      for (const Linear& q : q_low_) low.push_back(f.at(q));
    }
    return strongest(low, true, facts_);
  }
  std::vector<Linear> high_ends() const {
    std::vector<Linear> high = {space_.extent - 1};
    high.insert(high.end(), k_high_.begin(), k_high_.end());
    for (const RowFunction& g : upper_) {
      if (is_table(g)) {
        high.push_back(g.most());
        continue;
      }
      for (const Linear& q : q_high_) high.push_back(g.at(q));
    }
    return strongest(high, false, facts_);
  }

  /// A pair of the zone in this tile has such a remainder. Conditions on the tile are kept, others
  /// are the zone's.
  void ask(const Congruence& congruence) {
    const Linear start = product(space_.tile, space_.width);
    const Linear end = start + space_.width - 1;
    std::vector<Linear> low = low_ends(), high = high_ends();
    Facts facts = facts_;
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

  void values(const Congruence& congruence, const std::vector<Linear>& low,
              const std::vector<Linear>& high, std::vector<Linear>& least,
              std::vector<Linear>& most) {
    if (congruence.q == 0) {
      least = low;
      most = high;
      return;
    }
    bool steps = false, shifts = false;
    for (const auto* functions : {&lower_, &upper_})
      for (const RowFunction& f : *functions)
        (f.kind == RowFunction::Kind::shifted ? shifts : steps) = true;
    if (steps) inexact("a congruence of the rows meets the steps of a quotient");
    // Which rows have a key in the tile.
    std::vector<Linear> first = q_low_, last = q_high_;
    if (congruence.k == 0) {
      for (const RowFunction& f : lower_)
        if (f.kind == RowFunction::Kind::shifted)
          for (const Linear& h : high) last.push_back(h - f.offset);
      for (const RowFunction& g : upper_)
        if (g.kind == RowFunction::Kind::shifted)
          for (const Linear& l : low) first.push_back(l - g.offset);
      least = first;
      most = last;
      return;
    }
    if (congruence.q > 0) {
      if (shifts) inexact("a congruence of q + k meets a bound that goes by the row");
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
    for (const RowFunction& f : lower_)
      if (f.kind == RowFunction::Kind::shifted) least.push_back(f.offset);
    for (const RowFunction& g : upper_)
      if (g.kind == RowFunction::Kind::shifted) most.push_back(g.offset);
  }

  /// Some number from `low` to `high` has a remainder up to the congruence's reach: the last
  /// multiple of the modulus that is not above `high` is at least low - reach.
  void meets(const Congruence& congruence, Linear low, Linear high, const Facts& facts) {
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
      require(room);
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

  /// The terms of `form` that `by` divides.
  static Linear multiples(const Linear& form, std::int64_t by) {
    Linear whole;
    for (const auto& [atom, coefficient] : form.terms())
      if (coefficient % by == 0) whole = whole + Linear(atom) * coefficient;
    return whole;
  }

  bool mentions_tile(const Linear& form) const {
    const IntExpr tile = space_.tile.expression();
    return std::any_of(form.terms().begin(), form.terms().end(),
                       [&](const Linear::Term& term) { return mentions(term.first, tile); });
  }
  static bool mentions(const IntExpr& e, const IntExpr& name) {
    if (e.kind() == IntExpr::Kind::constant) return false;
    if (e.kind() == IntExpr::Kind::symbol) return e == name;
    return mentions(e.left(), name) || mentions(e.right(), name);
  }

  TileInterval tiles() {
    const std::vector<Linear> low = low_ends();
    std::vector<Linear> high = high_ends();

    IntExpr end = joined(high, false);
    for (const Linear& guard : guards_) {
      // All of the extent, or nothing of it. Clamped, so that no product overflows.
      const IntExpr holds = minimum(maximum((guard + 1).expression(), 0), 1);
      const IntExpr whole = holds * space_.extent.expression() - 1;
      const bool extent_alone = high.size() == 1 && high[0] == space_.extent - 1;
      end = extent_alone ? whole : minimum(end, whole);
      high.clear();
    }
    const IntExpr width = space_.width.expression();
    TileInterval result{tile_of(low, true),
                        high.empty() ? floor_div(end, width) : tile_of(high, false), condition_,
                        condition_.is_constant() ? IntExpr(0) : repeats_every_};
    for (const Linear& form : first_starts_)
      result.first =
          maximum(result.first, floor_quotient(form + space_.width - 1, space_.width).expression());
    for (const Linear& form : last_starts_)
      result.last = minimum(result.last, floor_quotient(form, space_.width).expression());
    if (space_.width.is(1)) return result;

    // Ends that lie in one tile although the lower is above the upper would look like that tile.
    // floor(u / w) + l - u is not above floor(l / w) when l <= u, and above floor(u / w) otherwise.
    for (const Linear& l : low) {
      if (l.is(0)) continue;
      for (const Linear& u : high_ends()) {
        if (facts_.proves_not_negative(u - l)) continue;
        if (space_.ragged_tile_may_join && u == space_.extent - 1) continue;
        const Linear after = l - u;
        const IntExpr tile = floor_div(u.expression(), width);
        result.first = maximum(result.first, (Linear(tile) + after).expression());
      }
    }
    return result;
  }

  /// The tile of the largest (smallest) form; whole multiples of the width leave the quotient.
  IntExpr tile_of(const std::vector<Linear>& forms, bool largest) const {
    const IntExpr width = space_.width.expression();
    std::vector<Linear> quotients;
    bool divides = space_.width.is_constant();
    for (const Linear& form : forms) {
      quotients.push_back(floor_quotient(form, space_.width));
      for (const auto& [atom, coefficient] : quotients.back().terms())
        divides =
            divides && !(atom.kind() == IntExpr::Kind::floor_div && atom.right() == width &&
                         coefficient == 1 && form.terms().size() > 0 && !contains(form, atom));
    }
    return divides ? joined(quotients, largest) : floor_div(joined(forms, largest), width);
  }

  static bool contains(const Linear& form, const IntExpr& atom) {
    return std::any_of(form.terms().begin(), form.terms().end(),
                       [&](const Linear::Term& term) { return term.first == atom; });
  }

  const Zone& zone_;
  const TileSpace& space_;
  Facts facts_;
  bool empty_ = false;
  std::vector<Linear> q_low_, q_high_, k_low_, k_high_, guards_;
  std::vector<RowFunction> lower_, upper_;          ///< those that depend on the row
  std::vector<Congruence> repeats_;                 ///< of the keys, between steps
  int tables_ = 0, others_ = 0;                     ///< what goes by the row: tables, and the rest
  IntExpr condition_ = 0;                           ///< on the tile's number: at least 0
  IntExpr repeats_every_ = 1;                       ///< TileInterval::repeats
  std::vector<Linear> first_starts_, last_starts_;  ///< the tile starts there or later (earlier)
};

/// [f, a] and [f, b] are [f, max(a, b)] together, empty ones included; ends likewise.
bool join(TileInterval& into, const TileInterval& other) {
  if (!(into.condition == other.condition)) return false;
  if (into.first == other.first) {
    into.last = maximum(into.last, other.last);
    return true;
  }
  if (into.last == other.last) {
    into.first = minimum(into.first, other.first);
    return true;
  }
  return false;
}

/// Whether what several congruences ask for can be asked one by one: of rows and keys that nothing
/// ties together.
bool independent(const Zone& zone) {
  if (zone.congruences.size() < 2) return true;
  if (zone.congruences.size() > 2) return false;
  for (const Congruence& congruence : zone.congruences)
    if (congruence.q != 0 && congruence.k != 0) return false;
  if (zone.congruences[0].same_form(zone.congruences[1])) return false;
  return std::all_of(zone.bounds.begin(), zone.bounds.end(), [](const Bound& bound) {
    return bound.kind != Bound::Kind::row && bound.limit.kind == RowFunction::Kind::constant;
  });
}

}  // namespace

ZoneTiles tiles_of(const std::vector<Zone>& zones, const TileSpace& space) {
  ZoneTiles result;
  const auto inexact = [&](const std::string& why) {
    if (result.note.empty()) result.note = why;
    result.exact = false;
  };
  for (const Zone& whole : zones) {
    bool one_arc = true;
    for (const Zone& zone : with_single_arcs(whole, one_arc)) {
      ZoneReader reader(zone, space);
      const auto interval = reader.interval();
      if (!interval) continue;
      if (!reader.exact()) inexact(reader.note);
      if (zone.hull) result.exact = false;
      if (!one_arc || !independent(zone))
        inexact("two congruences of its indices that are not one");
      result.intervals.push_back(*interval);
    }
  }
  for (std::size_t i = 0; i < result.intervals.size(); ++i)
    for (std::size_t j = i + 1; j < result.intervals.size();)
      if (join(result.intervals[i], result.intervals[j])) {
        result.intervals.erase(result.intervals.begin() + static_cast<std::ptrdiff_t>(j));
        j = i + 1;
      } else {
        ++j;
      }
  return result;
}

}  // namespace tilewright::passes
