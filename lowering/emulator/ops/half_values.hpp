// 16-bit floats one at a time, for code outside the vector variants (atomics).
// ops/floats.hpp has the vectorisable conversions of the arithmetic handlers.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace tilewright::emulator {

inline float widen_half(std::uint32_t bits, bool brain) {
  bits &= 0xffff;
  if (brain) {
    bits <<= 16;
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
  }
  const int exponent = static_cast<int>((bits >> 10) & 31);
  const float fraction = static_cast<float>(bits & 1023);
  float value = exponent == 0   ? std::ldexp(fraction, -24)
                : exponent < 31 ? std::ldexp(1024.0f + fraction, exponent - 25)
                : fraction == 0 ? INFINITY
                                : NAN;
  return (bits & 0x8000) != 0 ? -value : value;
}

inline std::uint32_t narrow_half(float value, bool brain) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if (brain) {
    if (std::isnan(value)) return 0x7fff;
    return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  }
  const std::uint32_t sign = (bits >> 16) & 0x8000;
  const float magnitude = std::fabs(value);
  if (std::isnan(value)) return 0x7fff;
  if (magnitude >= 65520.0f) return sign | 0x7c00;
  if (magnitude == 0) return sign;
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  // One unit in the last place, never below the subnormal one; rint ties to even.
  const int last = exponent - 11 < -24 ? -24 : exponent - 11;
  const std::uint32_t units = static_cast<std::uint32_t>(std::rint(std::ldexp(magnitude, -last)));
  // Fraction and exponent are one number: a carry out of the fraction raises the exponent.
  return sign | (last == -24 ? units : units + (static_cast<std::uint32_t>(last + 24) << 10));
}

}  // namespace tilewright::emulator
