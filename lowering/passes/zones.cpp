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
      for (const RowFunction& g : upper_) pair(f, g);
    for (const Linear& low : q_low_)
      for (const Linear& high : q_high_) require(high - low);
    if (empty_) return std::nullopt;
    return tiles();
  }

  bool exact = true;

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
  /// Both follow when a line of slope 1 fits between the two.
  void pair(const RowFunction& f, const RowFunction& g) {
    using Kind = RowFunction::Kind;
    if (f.kind == Kind::shifted && g.kind == Kind::shifted) return require(g.offset - f.offset);
    const bool slopes = has_slope_one(f) && has_slope_one(g);
    if (slopes && facts_.proves_not_negative(under(g) - over(f))) return;
    if (f.kind == Kind::step && g.kind == Kind::step && f.scale == g.scale &&
        f.divisor == g.divisor && f.shift == g.shift) {
      const Linear room = g.offset - f.offset;
      if (f.scale.is(1)) return require(room);  // at every row a stretch of the same length
      if (facts_.proves_not_negative(room - f.scale + 1)) return;
      if (facts_.proves_not_negative(room * -1 - 1)) {
        empty_ = true;
        return;
      }
    }
    exact = false;
  }

  static bool has_slope_one(const RowFunction& f) {
    return f.kind == RowFunction::Kind::shifted || f.scale == f.divisor;
  }
  /// f(q) <= q + over(f)
  static Linear over(const RowFunction& f) {
    return f.kind == RowFunction::Kind::shifted ? f.offset : f.shift + f.offset;
  }
  /// g(q) >= q + under(g)
  static Linear under(const RowFunction& g) {
    return g.kind == RowFunction::Kind::shifted ? g.offset : g.shift + g.offset - g.divisor + 1;
  }

  TileInterval tiles() {
    std::vector<Linear> low = {Linear(0)};
    std::vector<Linear> high = {space_.extent - 1};
    low.insert(low.end(), k_low_.begin(), k_low_.end());
    high.insert(high.end(), k_high_.begin(), k_high_.end());
    for (const RowFunction& f : lower_)
      for (const Linear& q : q_low_) low.push_back(f.at(q));
    for (const RowFunction& g : upper_)
      for (const Linear& q : q_high_) high.push_back(g.at(q));
    low = strongest(low, true, facts_);
    high = strongest(high, false, facts_);

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
                        high.empty() ? floor_div(end, width) : tile_of(high, false)};
    if (space_.width.is(1)) return result;

    // Ends that lie in one tile although the lower is above the upper would look like that tile.
    // floor(u / w) + l - u is not above floor(l / w) when l <= u, and above floor(u / w) otherwise.
    for (const Linear& l : low) {
      if (l.is(0)) continue;
      for (const Linear& u : unguarded_ends()) {
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

  std::vector<Linear> unguarded_ends() const {
    std::vector<Linear> high = {space_.extent - 1};
    high.insert(high.end(), k_high_.begin(), k_high_.end());
    for (const RowFunction& g : upper_)
      for (const Linear& q : q_high_) high.push_back(g.at(q));
    return strongest(high, false, facts_);
  }

  const Zone& zone_;
  const TileSpace& space_;
  Facts facts_;
  bool empty_ = false;
  std::vector<Linear> q_low_, q_high_, k_low_, k_high_, guards_;
  std::vector<RowFunction> lower_, upper_;  ///< those that depend on the row
};

/// [f, a] and [f, b] are [f, max(a, b)] together, empty ones included; ends likewise.
bool join(TileInterval& into, const TileInterval& other) {
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

}  // namespace

ZoneTiles tiles_of(const std::vector<Zone>& zones, const TileSpace& space) {
  ZoneTiles result;
  for (const Zone& zone : zones) {
    ZoneReader reader(zone, space);
    const auto interval = reader.interval();
    if (!interval) continue;
    result.exact = result.exact && reader.exact && !zone.hull;
    if (!reader.exact && result.note.empty())
      result.note = "its bounds cross inside the steps of a quotient";
    result.intervals.push_back(*interval);
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
