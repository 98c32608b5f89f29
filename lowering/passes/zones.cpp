// Closed forms for zones (zones.hpp). Per zone: the row range, cut by the bounds on q; the lower
// and upper ends of k over it; and what must hold for the zone to be non-empty. Emptiness is
// encoded in the ends themselves: an interval of tiles is empty when its first is after its last.
#include "passes/zones.hpp"

#include <algorithm>

#include "passes/arcs.hpp"
#include "passes/eliminate_rows.hpp"
#include "passes/row_periods.hpp"
#include "passes/tile_conditions.hpp"
#include "passes/zone_ends.hpp"

namespace tilewright::passes {

namespace {

using ir::IntExpr;
using ir::TileInterval;

/// Zones with periods of rows that are taken apart, three intervals each: more would cost the loop
/// more than the tiles it is spared.
constexpr std::ptrdiff_t most_periodic = 4;

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
      : zone_(zone), space_(space), ends_(zone, space), conditions_(ends_) {}

  /// Nothing when the zone is empty whatever the numbers.
  std::optional<TileInterval> interval() {
    if (ends_.empty) return std::nullopt;
    if (!zone_.settled)
      for (const RowFunction& f : ends_.lower)
        for (const RowFunction& g : ends_.upper)
          if (!is_table(f) && !is_table(g)) pair(f, g);
    for (const Linear& low : ends_.q_low)
      for (const Linear& high : ends_.q_high) ends_.require(high - low);
    check_tables();
    check_repeats();
    for (const Congruence& congruence : zone_.congruences) conditions_.ask(congruence);
    if (ends_.empty) return std::nullopt;
    return tiles();
  }

  bool exact() const { return ends_.note.empty(); }
  const std::string& note() const { return ends_.note; }

 private:
  /// Of one table the stretches of all rows have an end in common. Two of them, or one and another
  /// bound that goes by the row, are taken as if their extremes met in one row.
  void check_tables() {
    if (ends_.tables > 0 && ends_.tables + ends_.others > 1)
      ends_.inexact("between bounds that a table gives for each row, rows may leave gaps");
  }

  /// f(q) <= g(q) for every q, and f(q + 1) <= g(q) + 1: no row is empty, no gap between rows.
  /// Both follow when a line of slope 1 fits between the two. Where they do not, and one is a step
  /// of slope 1, what the rows leave repeats with the steps: the keys of all rows are those between
  /// the ends of the first and the last row that have certain remainders.
  void pair(const RowFunction& f, const RowFunction& g) {
    using Kind = RowFunction::Kind;
    const Facts& facts = ends_.facts;
    if (f.kind == Kind::shifted && g.kind == Kind::shifted)
      return ends_.require(g.offset - f.offset);
    const bool slopes = has_slope_one(f) && has_slope_one(g);
    if (slopes && facts.proves_not_negative(under(g) - over(f))) return;
    const bool same = f.kind == Kind::step && g.kind == Kind::step && f.scale == g.scale &&
                      f.divisor == g.divisor && f.shift == g.shift;
    const Linear room = g.offset - f.offset;
    if (same && f.scale.is(1))  // at every row a stretch of the same length
      return ends_.require(room);
    if (same && facts.proves_not_negative(room - f.scale + 1)) return;
    if (same && slopes) return repeat(f, f.offset * -1, room);
    if (slopes && f.kind == Kind::step && g.kind == Kind::shifted)
      return repeat(f, f.offset * -1, room + f.divisor - 1 - f.shift);
    if (slopes && f.kind == Kind::shifted && g.kind == Kind::step)
      return repeat(g, g.shift - f.offset, room + g.shift);
    ends_.inexact("its bounds cross inside the steps of a quotient");
  }

  void repeat(const RowFunction& step, const Linear& offset, const Linear& reach) {
    ends_.require(reach);
    repeats_.push_back({.k = 1, .offset = offset, .modulus = step.divisor, .reach = reach});
  }

  /// Remainders that repeat come from steps of one kind, and one range of them holds the others.
  void check_repeats() {
    if (repeats_.empty()) return;
    const RowFunction* step = nullptr;
    bool alike = zone_.congruences.empty();
    for (const auto* functions : {&ends_.lower, &ends_.upper})
      for (const RowFunction& f : *functions) {
        if (f.kind == RowFunction::Kind::shifted) continue;
        alike = alike && has_slope_one(f) &&
                (step == nullptr || (f.divisor == step->divisor && f.shift == step->shift));
        step = &f;
      }
    for (const Congruence& one : repeats_)
      alike = alike && one.offset == repeats_[0].offset && one.modulus == repeats_[0].modulus;
    if (!alike) return ends_.inexact("its bounds cross inside the steps of a quotient");
    for (std::size_t i = 0; i < repeats_.size(); ++i)
      if (std::find(repeats_.begin(), repeats_.begin() + static_cast<std::ptrdiff_t>(i),
                    repeats_[i]) == repeats_.begin() + static_cast<std::ptrdiff_t>(i))
        conditions_.ask(repeats_[i]);
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

  TileInterval tiles() {
    const std::vector<Linear> low = ends_.low_ends();
    std::vector<Linear> high = ends_.high_ends();

    IntExpr end = joined(high, false);
    for (const Linear& guard : ends_.guards) {
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
    conditions_.apply(result);
    if (space_.width.is(1)) return result;

    // Ends that lie in one tile although the lower is above the upper would look like that tile.
    // floor(u / w) + l - u is not above floor(l / w) when l <= u, and above floor(u / w) otherwise.
    for (const Linear& l : low) {
      if (l.is(0)) continue;
      for (const Linear& u : ends_.high_ends()) {
        if (ends_.facts.proves_not_negative(u - l)) continue;
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
  ZoneEnds ends_;
  TileConditions conditions_;
  std::vector<Congruence> repeats_;  ///< of the keys, between steps
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

namespace {

/// The intervals of one zone; its remaining conditions are taken as if they held.
ZoneTiles tiles_of_bounds(const Zone& whole, const TileSpace& space) {
  ZoneTiles result;
  const auto inexact = [&](const std::string& why) {
    if (result.note.empty()) result.note = why;
    result.exact = false;
  };
  bool one_arc = true;
  for (const Zone& zone : with_single_arcs(whole, one_arc)) {
    ZoneReader reader(zone, space);
    const auto interval = reader.interval();
    if (!interval) continue;
    if (!reader.exact()) inexact(reader.note());
    if (!one_arc || !independent(zone)) inexact("two congruences of its indices that are not one");
    result.intervals.push_back(*interval);
  }
  if (!whole.rest.empty()) result.exact = false;
  if (whole.hull) result.exact = false;
  return result;
}

/// The same from the keys alone, where that says more.
std::optional<ZoneTiles> tiles_of_keys(const Zone& whole, const TileSpace& space,
                                       MaskReader& reader) {
  const auto zones = without_rows(whole, space, reader);
  if (!zones) return std::nullopt;
  ZoneTiles result;
  for (const Zone& zone : *zones) {
    ZoneTiles one = tiles_of_bounds(zone, space);
    if (!one.exact && !whole.hull) return std::nullopt;
    result.exact = result.exact && one.exact;
    result.intervals.insert(result.intervals.end(), one.intervals.begin(), one.intervals.end());
  }
  return result;
}

}  // namespace

ZoneTiles tiles_of(const std::vector<Zone>& zones, const TileSpace& space, MaskReader* reader) {
  ZoneTiles result;
  std::vector<Zone> known = zones;
  bool left_out = false;
  const auto periodic = [&](const Zone& zone) {
    return reader && has_row_periods(zone) && has_row_periods(with_known_quotients(zone, *reader));
  };
  const bool take_apart =
      space.rows_in_periods && std::count_if(zones.begin(), zones.end(), periodic) <= most_periodic;
  for (Zone& zone : known) {
    const bool too_long = periodic(zone) && !take_apart;
    if (zone.rest.empty() || (reader && !too_long && tiles_of_keys(zone, space, *reader))) continue;
    if (result.note.empty()) result.note = zone.rest[0].atom;
    zone.rest.clear();
    zone.hull = left_out = true;
  }
  if (left_out) known = without_contained(std::move(known));
  for (const Zone& zone : known) {
    ZoneTiles one = tiles_of_bounds(zone, space);
    if (!one.exact && reader != nullptr)
      if (auto better = tiles_of_keys(zone, space, *reader)) one = std::move(*better);
    if (result.note.empty()) result.note = one.note;
    result.exact = result.exact && one.exact;
    result.intervals.insert(result.intervals.end(), one.intervals.begin(), one.intervals.end());
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
