// Scalar pieces of floating point that several handlers share: flushing, NaN rules of min and max,
// and exact conversions between f32 and the 16-bit formats, written so that a compiler can
// vectorise them without special instructions.
#pragma once

#include "emulator/ops/lanes.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {

TILEWRIGHT_INLINE float flush(float a) {
  const u32 pattern = bits<u32>(a);
  return bits<float>((pattern & 0x7f800000u) == 0 ? pattern & 0x80000000u : pattern);
}
TILEWRIGHT_INLINE double flush(double a) { return a; }

TILEWRIGHT_INLINE float half_to_float(u32 half) {
  const u32 magnitude = half & 0x7fff;
  // The exponent is rebiased by a multiplication, which also normalises subnormals.
  const float scaled = bits<float>(magnitude << 13) * 0x1p112f;
  const u32 special = 0x7f800000u | (magnitude << 13);
  const u32 result = magnitude >= 0x7c00 ? special : bits<u32>(scaled);
  return bits<float>(result | ((half & 0x8000) << 16));
}

/// Rounds to nearest even, or toward zero.
TILEWRIGHT_INLINE u32 float_to_half(float value, bool toward_zero = false) {
  const u32 pattern = bits<u32>(value), magnitude = pattern & 0x7fffffffu;
  const u32 round = toward_zero ? 0 : 0xfff + ((magnitude >> 13) & 1);
  u32 normal = (magnitude - 0x38000000u + round) >> 13;
  if (toward_zero && normal > 0x7bff) normal = 0x7bff;
  // Adding one half aligns a subnormal's last place with the last place of f32.
  const float capped = bits<float>(magnitude < 0x38800000u ? magnitude : 0u);
  const u32 exact = bits<u32>(capped + 0.5f) - 0x3f000000u;
  const u32 truncated = bits<u32>(capped * 0x1p24f + 0x1p23f);  // only its integer part is used
  u32 small = exact;
  if (toward_zero) {
    const float whole = bits<float>(truncated) - 0x1p23f;
    small = (truncated & 0x7fffff) - (whole > capped * 0x1p24f ? 1 : 0);
  }
  const u32 finite = magnitude < 0x38800000u ? small : normal;
  const u32 large = toward_zero && magnitude < 0x7f800000u ? 0x7bffu : 0x7c00u;
  const u32 overflow = magnitude > 0x7f800000u ? 0x7fffu : large;
  return (magnitude >= 0x47800000u ? overflow : finite) | ((pattern >> 16) & 0x8000);
}

TILEWRIGHT_INLINE float bfloat_to_float(u32 half) { return bits<float>(half << 16); }
TILEWRIGHT_INLINE u32 float_to_bfloat(float value, bool toward_zero = false) {
  const u32 pattern = bits<u32>(value);
  const u32 rounded = (pattern + (toward_zero ? 0 : 0x7fff + ((pattern >> 16) & 1))) >> 16;
  return (pattern & 0x7fffffffu) > 0x7f800000u ? 0x7fffu : rounded;
}

TILEWRIGHT_INLINE float from_half(u32 half, bool brain) {
  return brain ? bfloat_to_float(half & 0xffff) : half_to_float(half & 0xffff);
}
TILEWRIGHT_INLINE u32 to_half(float value, bool brain, bool toward_zero = false) {
  return brain ? float_to_bfloat(value, toward_zero) : float_to_half(value, toward_zero);
}

/// f64 -> f32 rounding to odd, so that a further rounding to 16 bits is exact.
TILEWRIGHT_INLINE float narrow_to_odd(double value) {
  const float near = static_cast<float>(value);
  const double back = near;
  if (back == value || value != value) return near;
  u32 pattern = bits<u32>(near);
  if ((pattern & 1) != 0) return near;
  const bool too_large = (back < 0 ? -back : back) > (value < 0 ? -value : value);
  return bits<float>(too_large ? pattern - 1 : pattern + 1);
}

/// a * b + c with one rounding, of operands that came from 16 bits.
TILEWRIGHT_INLINE float fused_half(float a, float b, float c) {
  const double product = static_cast<double>(a) * b, addend = c, sum = product + addend;
  // Two-sum gives the rounding error of f64; where there is one, the result is made odd.
  const double shadow = sum - product;
  const double error = (product - (sum - shadow)) + (addend - shadow);
  u64 pattern = bits<u64>(sum);
  if (error != 0 && (pattern & 1) == 0 && sum - sum == 0) {
    pattern += (error > 0) == (sum > 0) ? 1 : u64{0} - 1;
  }
  return narrow_to_odd(bits<double>(pattern));
}

/// min and max of PTX: a number wins over a NaN, and -0 is less than +0.
template <class T, bool maximum, bool keep_nan>
TILEWRIGHT_INLINE T extreme(T a, T b) {
  using Bits = std::conditional_t<sizeof(T) == 4, u32, u64>;
  // The processor's own instructions, which give the second operand when the two are equal: both
  // ways round, they differ in the sign of zero only.
  const Bits x = bits<Bits>(maximum ? (a > b ? a : b) : (a < b ? a : b));
  const Bits y = bits<Bits>(maximum ? (b > a ? b : a) : (b < a ? b : a));
  T result = bits<T>(maximum ? Bits(x & y) : Bits(x | y));
  if (keep_nan) {
    const T quiet = bits<T>(Bits(~Bits{0}) >> 1);
    return a != a || b != b ? quiet : result;
  }
  result = a != a ? b : result;
  return b != b ? a : result;
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
