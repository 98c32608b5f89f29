// Lane by lane (see packed.hpp): nothing here stands in an inner loop that matters.
#include "emulator/ops/packed.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "emulator/ops/half_values.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator::packed {
namespace {

using Word = std::uint32_t;

template <class Body>
const Instruction* each_lane(const Instruction* i, Warp* w, Body body) {
  for (Word left = active_lanes(i, w); left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    slots<Word>(w, i->d)[lane] = body(lane);
  }
  return i + 1;
}

std::int64_t element(Word word, unsigned index, unsigned bits, bool sign) {
  const Word value = (word >> (index * bits)) & ((1u << bits) - 1);
  const bool negative = sign && (value >> (bits - 1)) != 0;
  return static_cast<std::int64_t>(value) - (negative ? std::int64_t{1} << bits : 0);
}

std::int64_t clamped(std::int64_t value, unsigned bits, bool sign) {
  const std::int64_t high = (std::int64_t{1} << (sign ? bits - 1 : bits)) - 1;
  return std::clamp<std::int64_t>(value, sign ? -high - 1 : 0, high);
}

std::int64_t combined(Video operation, std::int64_t a, std::int64_t b) {
  switch (operation) {
    case Video::add: return a + b;
    case Video::subtract: return a - b;
    case Video::average: return a + b >= 0 ? (a + b + 1) >> 1 : (a + b) >> 1;
    case Video::distance: return a > b ? a - b : b - a;
    case Video::least: return std::min(a, b);
    case Video::most: return std::max(a, b);
  }
  return 0;
}

const Instruction* run_video(const Instruction* i, Warp* w) {
  const unsigned bits = (i->flags & bytes) != 0 ? 8 : 16;
  return each_lane(i, w, [&](unsigned lane) {
    const Word a = slots<Word>(w, i->a)[lane], b = slots<Word>(w, i->b)[lane];
    Word packed = 0, sum = slots<Word>(w, i->c)[lane];
    for (unsigned k = 0; k < 32 / bits; ++k) {
      std::int64_t value =
          combined(static_cast<Video>(i->n), element(a, k, bits, (i->flags & signed_a) != 0),
                   element(b, k, bits, (i->flags & signed_b) != 0));
      if ((i->flags & saturate) != 0) value = clamped(value, bits, (i->flags & signed_d) != 0);
      packed |= (static_cast<Word>(value) & ((1u << bits) - 1)) << (k * bits);
      sum += static_cast<Word>(value);
    }
    return (i->flags & accumulate) != 0 ? sum : packed;
  });
}

const Instruction* run_pack(const Instruction* i, Warp* w) {
  const unsigned bits = i->n;
  const auto part = [&](std::uint32_t offset, unsigned lane) {
    const std::int64_t value = static_cast<std::int32_t>(slots<Word>(w, offset)[lane]);
    return static_cast<Word>(clamped(value, bits, (i->flags & 1) != 0)) & ((1u << bits) - 1);
  };
  return each_lane(i, w, [&](unsigned lane) {
    const Word rest = bits == 16 ? 0 : slots<Word>(w, i->c)[lane] << (2 * bits);
    return rest | part(i->a, lane) << bits | part(i->b, lane);
  });
}

const Instruction* run_to_fp8(const Instruction* i, Warp* w) {
  const auto one = [&](float value) {
    if ((i->flags & relu) != 0 && value < 0) value = 0;
    return fp8_rounded(value, (i->flags & e5m2) != 0);
  };
  return each_lane(i, w, [&](unsigned lane) {
    const Word a = slots<Word>(w, i->a)[lane], b = slots<Word>(w, i->b)[lane];
    if ((i->flags & from_halves) != 0)
      return one(widen_half(a >> 16, false)) << 8 | one(widen_half(a, false));
    return one(std::bit_cast<float>(a)) << 8 | one(std::bit_cast<float>(b));
  });
}

const Instruction* run_from_fp8(const Instruction* i, Warp* w) {
  const auto one = [&](Word byte) {
    float value = fp8_value(byte & 255, (i->flags & e5m2) != 0);
    if ((i->flags & relu) != 0 && value < 0) value = 0;
    return narrow_half(value, false);
  };
  return each_lane(i, w, [&](unsigned lane) {
    const Word a = slots<Word>(w, i->a)[lane];
    return one(a >> 8) << 16 | one(a);
  });
}

/// Magnitudes as f32; the sign is the exclusive or of the operands' signs.
float extreme_magnitude(float a, float b, std::uint16_t flags) {
  const bool negative = std::signbit(a) != std::signbit(b);
  a = std::fabs(a), b = std::fabs(b);
  if ((flags & 4) != 0) a = a < 0x1p-126f ? 0 : a, b = b < 0x1p-126f ? 0 : b;
  if (std::isnan(a) || std::isnan(b)) {
    if ((flags & 2) != 0 || (std::isnan(a) && std::isnan(b))) return NAN;
    return std::copysign(std::isnan(a) ? b : a, negative ? -1.0f : 1.0f);
  }
  const float chosen = (flags & 1) != 0 ? std::max(a, b) : std::min(a, b);
  return negative ? -chosen : chosen;
}

const Instruction* run_magnitude(const Instruction* i, Warp* w) {
  return each_lane(i, w, [&](unsigned lane) {
    const Word a = slots<Word>(w, i->a)[lane], b = slots<Word>(w, i->b)[lane];
    if ((i->n & 8) != 0) {
      const float value =
          extreme_magnitude(std::bit_cast<float>(a), std::bit_cast<float>(b), i->flags);
      return std::isnan(value) ? 0x7fffffffu : std::bit_cast<Word>(value);
    }
    const bool brain = (i->n & 1) != 0;
    const auto one = [&](unsigned shift) {
      return narrow_half(extreme_magnitude(widen_half(a >> shift, brain),
                                           widen_half(b >> shift, brain), i->flags),
                         brain)
             << shift;
    };
    return one(0) | ((i->n & 2) != 0 ? one(16) : 0);
  });
}

}  // namespace

float fp8_value(unsigned byte, bool is_e5m2) {
  const int fraction_bits = is_e5m2 ? 2 : 3, bias = is_e5m2 ? 15 : 7;
  const unsigned magnitude = byte & 127, fraction = magnitude & ((1u << fraction_bits) - 1);
  const int exponent = static_cast<int>(magnitude >> fraction_bits);
  float value;
  if (is_e5m2 ? exponent == 31 : magnitude == 127) {
    value = is_e5m2 && fraction == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(fraction), 1 - bias - fraction_bits);
  } else {
    value = std::ldexp(static_cast<float>((1u << fraction_bits) + fraction),
                       exponent - bias - fraction_bits);
  }
  return (byte & 128) != 0 ? -value : value;
}

unsigned fp8_rounded(float value, bool is_e5m2) {
  const int fraction_bits = is_e5m2 ? 2 : 3, bias = is_e5m2 ? 15 : 7;
  const unsigned sign = std::signbit(value) ? 128 : 0, largest = is_e5m2 ? 0x7b : 0x7e;
  if (std::isnan(value)) return 0x7f;
  const float magnitude = std::fabs(value);
  if (magnitude >= fp8_value(largest, is_e5m2)) return sign | largest;
  if (magnitude == 0) return sign;
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  // In units of the last place; a carry out of the fraction raises the exponent by itself.
  const int last = std::max(exponent - 1, 1 - bias) - fraction_bits;
  const unsigned units = static_cast<unsigned>(std::nearbyint(std::ldexp(magnitude, -last)));
  const unsigned steps = static_cast<unsigned>(last + fraction_bits + bias - 1);
  return sign | std::min(units + (steps << fraction_bits), largest);
}

Handlers video() { return {&run_video, &run_video}; }
Handlers pack() { return {&run_pack, &run_pack}; }
Handlers to_fp8() { return {&run_to_fp8, &run_to_fp8}; }
Handlers from_fp8() { return {&run_from_fp8, &run_from_fp8}; }
Handlers magnitude() { return {&run_magnitude, &run_magnitude}; }

}  // namespace tilewright::emulator::packed
