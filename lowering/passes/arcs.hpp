// Arcs of remainders: several congruences of one form, brought together.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "passes/congruence.hpp"
#include "passes/mask_formula.hpp"

namespace tilewright::passes {

constexpr std::int64_t most_residues = 4096;  ///< looked at one by one
constexpr std::size_t most_arcs = 16;

inline std::int64_t floor_mod(std::int64_t x, std::int64_t t) { return (x % t + t) % t; }

/// Maximal runs of remainders, around the end too: start and reach.
std::vector<std::pair<std::int64_t, std::int64_t>> arcs_of(const std::vector<bool>& residues);

/// Whether the arc is a number of remainders of a number.
bool is_constant(const Congruence& c);

/// The zone with at most one congruence of each form: constant ones of one form become arcs of one
/// modulus, others one arc where their ends meet whatever their numbers are. `exact` turns false
/// where two are left that cannot be one.
std::vector<Zone> with_single_arcs(const Zone& zone, bool& exact);

}  // namespace tilewright::passes
