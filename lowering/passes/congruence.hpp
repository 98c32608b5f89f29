// Congruences of a mask: "(q, k) times whole numbers, plus an offset, leaves a remainder in a
// range". Recognised from comparisons of remainders (k % 8 >= 6, (p - k) % d == 0, (k / a) % 2 ==
// 0, k % l == q % l), written as one arc of remainders each. What an arc means for a tile:
// zones.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "passes/linear.hpp"

namespace tilewright::passes {

struct Affine;
struct Zone;

/// (q * row + k * key + offset) % modulus <= reach, with modulus >= 1; nothing for reach < 0.
/// k is 1, or 0 and q is 1; q is -1, 0 or 1.
struct Congruence {
  std::int64_t q = 0;
  std::int64_t k = 0;
  Linear offset;
  Linear modulus = 1;
  Linear reach;
  bool operator==(const Congruence&) const = default;
  bool same_form(const Congruence& other) const { return q == other.q && k == other.k; }
};

/// How an affine tile is compared with 0.
enum class Comparison { at_least, equal, not_equal };

/// The zones of `x` compared with 0, or nothing when x is no remainder, or one of a form whose
/// remainders do not follow each other.
std::optional<std::vector<Zone>> congruence_zones(const Affine& x, Comparison how);

/// The zones of x >= 0 for a sum of k and quotients of it that comes back after a period: steps of
/// one size that begin at different keys, or constants. `is_positive` knows divisors.
std::optional<std::vector<Zone>> periodic_zones(
    const Affine& x, const std::function<bool(const Linear&)>& is_positive);

}  // namespace tilewright::passes
