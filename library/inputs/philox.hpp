// Repeatable inputs: Philox4x32-10, a counter-based generator (Salmon et al., SC 2011).
//
// Element i of tensor t is a pure function of (seed, t, i): the same numbers come out whatever the
// memory layout, the number of threads or the machine. Known answers: tests/library/philox.cpp.
#pragma once

#include <array>
#include <cstdint>

namespace tilewright::inputs {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

/// Ten rounds of Philox4x32: 128 random bits from a counter and a key.
PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key);

/// Four standard normal numbers: elements 4*group .. 4*group + 3 of stream `stream` (one stream per
/// tensor). Box-Muller in double precision; |x| < 6.8.
std::array<double, 4> normals(std::uint64_t seed, std::uint32_t stream, std::uint64_t group);

}  // namespace tilewright::inputs
