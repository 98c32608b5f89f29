// See tidy_zones.hpp. Every step compares two bounds of one kind, by the prover of linear.hpp.
#include "passes/tidy_zones.hpp"

#include <algorithm>
#include <string>

namespace tilewright::passes {
namespace {

using ir::IntExpr;
using Kind = Bound::Kind;

std::string text_of(const Linear& form) {
  return form.expression().print([](const std::string& symbol) { return symbol; });
}
std::string text_of(const Bound& bound) {
  const RowFunction& f = bound.limit;
  std::string text = std::to_string(static_cast<int>(bound.kind)) + " " +
                     std::to_string(static_cast<int>(f.kind)) + " " + text_of(f.offset);
  if (f.kind == RowFunction::Kind::step)
    text += " " + text_of(f.scale) + " " + text_of(f.divisor) + " " + text_of(f.shift);
  return text;
}
std::string text_of(const Zone& zone) {
  std::string text;
  for (const Bound& bound : zone.bounds) text += text_of(bound) + "; ";
  return text;
}

/// The zones without what says nothing, in one order.
class Zones {
 public:
  Zones(std::vector<Zone> zones, const TileSpace& space, const Linear& rows)
      : zones_(std::move(zones)), space_(space), rows_(rows) {
    for (Zone& zone : zones_)
      for (std::size_t i = 0; i < zone.bounds.size(); ++i)
        while (split(zone, i)) {}
    std::erase_if(zones_, [&](Zone& zone) { return !tidy(zone); });
    for (Zone& zone : zones_) widen(zone);
    for (std::size_t i = 0; i < zones_.size();) {
      bool covered = false;
      for (std::size_t j = 0; j < zones_.size() && !covered; ++j)
        covered = i != j && lies_in(zones_[i], zones_[j]);
      if (covered)
        zones_.erase(zones_.begin() + static_cast<std::ptrdiff_t>(i));
      else
        ++i;
    }
    std::sort(zones_.begin(), zones_.end(),
              [](const Zone& a, const Zone& b) { return text_of(a) < text_of(b); });
  }
  std::vector<Zone> take() && { return std::move(zones_); }

 private:
  bool holds(const Linear& form) const { return space_.facts.proves_not_negative(form); }

  /// True when every index of the tensor keeps `bound`.
  bool is_given(const Bound& bound) const {
    const Linear& limit = bound.limit.offset;
    const bool constant = bound.limit.kind == RowFunction::Kind::constant;
    switch (bound.kind) {
      case Kind::guard: return holds(limit);
      case Kind::k_lower: return constant && holds(limit * -1);
      case Kind::k_upper: return constant && holds(limit - space_.extent + 1);
      case Kind::q_lower: return holds(limit * -1);
      case Kind::q_upper: return holds(limit - rows_ + 1);
      case Kind::row: return false;
    }
    return false;
  }

  /// True when no index keeps both.
  bool contradict(const Bound& a, const Bound& b) const {
    const auto apart = [&](Kind lower, Kind upper) {
      return a.kind == lower && b.kind == upper && a.limit.kind == b.limit.kind &&
             a.limit.kind != RowFunction::Kind::step && holds(a.limit.offset - b.limit.offset - 1);
    };
    return apart(Kind::k_lower, Kind::k_upper) || apart(Kind::q_lower, Kind::q_upper);
  }
  bool is_impossible(const Bound& bound) const {
    const Linear& limit = bound.limit.offset;
    const bool constant = bound.limit.kind == RowFunction::Kind::constant;
    switch (bound.kind) {
      case Kind::guard: return holds(limit * -1 - 1);
      case Kind::k_lower: return constant && holds(limit - space_.extent);
      case Kind::k_upper: return constant && holds(limit * -1 - 1);
      case Kind::q_lower: return holds(limit - rows_);
      case Kind::q_upper: return holds(limit * -1 - 1);
      case Kind::row: return false;
    }
    return false;
  }

  /// True when whatever keeps `a` keeps `b`.
  bool implies(const Bound& a, const Bound& b) const {
    if (a.kind != b.kind || a.limit.kind != b.limit.kind) return false;
    if (a.limit.kind == RowFunction::Kind::step &&
        !(a.limit.scale == b.limit.scale && a.limit.divisor == b.limit.divisor &&
          a.limit.shift == b.limit.shift))
      return false;
    const Linear more = a.limit.offset - b.limit.offset;
    const bool lower = a.kind == Kind::k_lower || a.kind == Kind::q_lower;
    return holds(lower ? more : more * -1);
  }
  bool lies_in(const Zone& inner, const Zone& outer) const {
    return std::all_of(outer.bounds.begin(), outer.bounds.end(), [&](const Bound& wide) {
      return std::any_of(inner.bounds.begin(), inner.bounds.end(),
                         [&](const Bound& narrow) { return implies(narrow, wide); });
    });
  }

  /// k <= min(a, b) is k <= a && k <= b; k >= max(a, b) likewise. False when there is no such
  /// bound.
  static bool split(Zone& zone, std::size_t which) {
    const Bound& bound = zone.bounds[which];
    const bool lower = bound.kind == Kind::k_lower || bound.kind == Kind::q_lower;
    for (const auto& [atom, coefficient] : bound.limit.offset.terms()) {
      const bool least = atom.kind() == IntExpr::Kind::minimum;
      if (!least && atom.kind() != IntExpr::Kind::maximum) continue;
      if (least != ((coefficient > 0) != lower)) continue;
      Bound other = bound;
      const Linear rest = bound.limit.offset - Linear(atom) * coefficient;
      const Linear first = rest + Linear(atom.left()) * coefficient;
      other.limit.offset = rest + Linear(atom.right()) * coefficient;
      zone.bounds[which].limit.offset = first;
      zone.bounds.push_back(std::move(other));
      return true;
    }
    return false;
  }

  /// What breaks `bound`, and nothing else.
  static Bound opposite(Bound bound) {
    Linear& limit = bound.limit.offset;
    const bool lower = bound.kind == Kind::k_lower || bound.kind == Kind::q_lower;
    if (bound.kind == Kind::guard)
      limit = limit * -1 - 1;
    else
      limit = limit + (lower ? -1 : 1);
    constexpr Kind opposites[] = {Kind::guard, Kind::k_upper, Kind::k_lower, Kind::q_upper,
                                  Kind::q_lower};
    bound.kind = opposites[static_cast<std::size_t>(bound.kind)];
    return bound;
  }

  /// Leaves out bounds behind which another zone goes on: a || (!a && b) is a || b.
  void widen(Zone& zone) const {
    for (std::size_t i = 0; i < zone.bounds.size();) {
      Zone behind = zone;
      behind.bounds[i] = opposite(zone.bounds[i]);
      const bool shown = std::any_of(zones_.begin(), zones_.end(), [&](const Zone& other) {
        return &other != &zone && lies_in(behind, other);
      });
      if (shown) {
        zone.bounds.erase(zone.bounds.begin() + static_cast<std::ptrdiff_t>(i));
        i = 0;
      } else {
        ++i;
      }
    }
  }

  /// False when nothing keeps all of the zone's bounds.
  bool tidy(Zone& zone) const {
    std::vector<Bound> kept;
    for (const Bound& bound : zone.bounds) {
      if (is_impossible(bound)) return false;
      if (is_given(bound)) continue;
      if (std::any_of(kept.begin(), kept.end(), [&](const Bound& b) { return implies(b, bound); }))
        continue;
      std::erase_if(kept, [&](const Bound& b) { return implies(bound, b); });
      kept.push_back(bound);
    }
    for (const Bound& a : kept)
      for (const Bound& b : kept)
        if (contradict(a, b)) return false;
    std::sort(kept.begin(), kept.end(),
              [](const Bound& a, const Bound& b) { return text_of(a) < text_of(b); });
    zone.bounds = std::move(kept);
    return true;
  }

  std::vector<Zone> zones_;
  const TileSpace& space_;
  Linear rows_;
};

}  // namespace

std::vector<Zone> tidied(std::vector<Zone> zones, const TileSpace& space, const Linear& rows) {
  return Zones(std::move(zones), space, rows).take();
}

}  // namespace tilewright::passes
