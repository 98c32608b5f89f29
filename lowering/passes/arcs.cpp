// See arcs.hpp.
#include "passes/arcs.hpp"

#include <algorithm>
#include <numeric>

namespace tilewright::passes {

std::vector<std::pair<std::int64_t, std::int64_t>> arcs_of(const std::vector<bool>& residues) {
  const auto t = static_cast<std::int64_t>(residues.size());
  const auto in = [&](std::int64_t r) {
    return residues[static_cast<std::size_t>(floor_mod(r, t))];
  };
  std::vector<std::pair<std::int64_t, std::int64_t>> arcs;
  if (std::all_of(residues.begin(), residues.end(), [](bool r) { return r; })) return {{0, t - 1}};
  for (std::int64_t r = 0; r < t; ++r) {
    if (!in(r) || in(r - 1)) continue;
    std::int64_t reach = 0;
    while (in(r + reach + 1)) ++reach;
    arcs.emplace_back(r, reach);
  }
  return arcs;
}

bool is_constant(const Congruence& c) {
  return c.offset.is_constant() && c.modulus.is_constant() && c.reach.is_constant();
}

namespace {

Linear least_of(const Linear& a, const Linear& b) {
  const Linear more = a - b;
  if (more.is_constant()) return more.constant() < 0 ? a : b;
  return Linear(minimum(a.expression(), b.expression()));
}

/// Whether both arcs begin alike, both end alike, or one begins where the other one ends: what both
/// leave is one arc then, whatever their numbers are.
enum class Meeting { starts, ends, around };

/// Moves the offset by multiples of the modulus, so that `apart` is 0; false where it is none.
bool bring_together(const Linear& apart, Congruence& moved) {
  const Linear& modulus = moved.modulus;
  if (apart.is(0)) return true;
  const bool multiple =
      apart == modulus || apart == modulus * -1 ||
      (apart.is_constant() && modulus.is_constant() && apart.constant() % modulus.constant() == 0);
  if (multiple) moved.offset = moved.offset + apart;
  return multiple;
}

/// Makes `a` what both leave; false where they do not meet so. `guard` must not be negative then.
bool intersect(Congruence& a, Congruence b, Meeting how, Linear& guard) {
  if (!(a.modulus == b.modulus)) return false;
  if (how == Meeting::starts) {
    if (!bring_together(a.offset - b.offset, b)) return false;
    a.reach = least_of(a.reach, b.reach);
    return true;
  }
  if (how == Meeting::ends) {
    if (!bring_together(a.offset - a.reach - b.offset + b.reach, b)) return false;
    const Linear apart = a.offset - a.reach;
    a.offset = least_of(a.offset, b.offset);
    a.reach = a.offset - apart;
    return true;
  }
  const auto around = [&](const Congruence& from_0, Congruence to_the_end) {
    // Remainders 0 … reach, and from … modulus - 1, of k + offset.
    const Linear end = from_0.offset - to_the_end.offset + to_the_end.reach;
    if (!bring_together(end - a.modulus + 1, to_the_end)) return false;
    const Linear from = from_0.offset - to_the_end.offset;
    const Linear first = least_of(from * -1, 0) * -1;  // max(from, 0)
    const Linear last = least_of(from_0.reach, a.modulus - 1);
    a.offset = from_0.offset - first;
    a.reach = guard = last - first;
    return true;
  };
  const Congruence copy = a;
  return around(copy, b) || around(b, copy);
}

/// The zone with arcs of one modulus as one, as far as that needs no numbers. False: it is empty.
bool intersect_arcs(Zone& zone) {
  for (const Meeting how : {Meeting::starts, Meeting::ends, Meeting::around})
    for (std::size_t i = 0; i < zone.congruences.size(); ++i)
      for (std::size_t j = i + 1; j < zone.congruences.size();) {
        Linear guard = 0;
        Congruence& into = zone.congruences[i];
        const Congruence& other = zone.congruences[j];
        if (!into.same_form(other) || (is_constant(into) && is_constant(other)) ||
            !intersect(into, other, how, guard)) {
          ++j;
          continue;
        }
        zone.congruences.erase(zone.congruences.begin() + static_cast<std::ptrdiff_t>(j));
        if (guard.is_constant() && guard.constant() < 0) return false;
        if (!guard.is_constant()) zone.bounds.push_back({Bound::Kind::guard, {.offset = guard}});
        j = i + 1;  // it may meet those before, now that it is no constant
      }
  return true;
}

}  // namespace

std::vector<Zone> with_single_arcs(const Zone& zone, bool& exact) {
  std::vector<Zone> zones = {zone};
  if (!intersect_arcs(zones[0])) return {};
  std::vector<Congruence> left = std::move(zones[0].congruences);
  zones[0].congruences.clear();
  while (!left.empty()) {
    std::vector<Congruence> group;
    for (const Congruence& c : left)
      if (c.same_form(left[0])) group.push_back(c);
    std::erase_if(left, [&](const Congruence& c) { return c.same_form(group[0]); });
    std::vector<std::vector<Congruence>> either = {group};
    std::int64_t modulus = 1;
    for (const Congruence& c : group)
      modulus = is_constant(c) && modulus <= most_residues ? std::lcm(modulus, c.modulus.constant())
                                                           : most_residues + 1;
    if (group.size() > 1 && modulus > most_residues) exact = false;
    if (group.size() > 1 && modulus <= most_residues) {
      std::vector<bool> residues;
      for (std::int64_t r = 0; r < modulus; ++r)
        residues.push_back(std::all_of(group.begin(), group.end(), [&](const Congruence& c) {
          return floor_mod(r + c.offset.constant(), c.modulus.constant()) <= c.reach.constant();
        }));
      const auto arcs = arcs_of(residues);
      if (arcs.size() > most_arcs) {
        exact = false;
      } else {
        either.clear();
        for (const auto& [start, reach] : arcs) {
          Congruence one = group[0];
          one.offset = floor_mod(-start, modulus), one.modulus = modulus, one.reach = reach;
          either.push_back(reach >= modulus - 1 ? std::vector<Congruence>{} : std::vector{one});
        }
      }
    }
    std::vector<Zone> more;
    for (const Zone& before : zones)
      for (const auto& congruences : either) {
        more.push_back(before);
        more.back().congruences.insert(more.back().congruences.end(), congruences.begin(),
                                       congruences.end());
      }
    zones = std::move(more);
  }
  return zones;
}

}  // namespace tilewright::passes
