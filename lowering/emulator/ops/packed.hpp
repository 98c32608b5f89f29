// Instructions on several small values in one register, which are rare: SIMD video instructions,
// cvt.pack, conversions with 8-bit floats, min and max with the sign of the product.
#pragma once

#include "emulator/instruction.hpp"

namespace tilewright::emulator::packed {

/// vadd2, vsub4, ...: d, a, b, c; n: the operation; flags as below. Results per element in d, or
/// with `accumulate` their sum plus c.
enum class Video : std::uint8_t { add, subtract, average, distance, least, most };
constexpr std::uint16_t bytes = 1, signed_a = 2, signed_b = 4, signed_d = 8, saturate = 16,
                        accumulate = 32;
Handlers video();

/// cvt.pack: d = c << 2n | a << n | b, a and b clamped to n bits; flags 1: signed.
Handlers pack();

/// Between pairs of 8-bit floats and f32 or f16 pairs; flags: e5m2 (else e4m3), relu, from_halves.
constexpr std::uint16_t e5m2 = 1, relu = 2, from_halves = 4;
Handlers to_fp8();    ///< d = a to the upper byte, b to the lower; with from_halves both are in a
Handlers from_fp8();  ///< f16x2

/// min and max .xorsign.abs: the smaller or larger magnitude with the product's sign. n: half flags
/// of the decoder (1 bfloat16, 2 both), 8 for f32; flags 1: max, 2: .NaN, 4: .ftz.
Handlers magnitude();

/// One 8-bit float as f32, and back with rounding to nearest even; beyond the range the largest.
float fp8_value(unsigned byte, bool is_e5m2);
unsigned fp8_rounded(float value, bool is_e5m2);

}  // namespace tilewright::emulator::packed
