// cvt, one step at a time: integer to integer, integer to float, float to integer, float to float.
// Saturation, relu and 16-bit detours are further steps the decoder adds. `n` of an instruction is
// the rounding: 0 nearest even, 1 toward zero, 2 down, 3 up (of results, or to an integer).
#include <cmath>

#include "emulator/ops/floats.hpp"
#include "emulator/ops/selection.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {
namespace {

template <class To, class From>
struct IntegerToInteger {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    using Source = typename View<From>::Slot;
    using Slot = typename View<To>::Slot;
    const Source* a = reg<Source>(w, i->a);
    alignas(64) Slot t[32];
    TILEWRIGHT_LANES t[l] = View<To>::put(static_cast<To>(View<From>::get(a[l])));
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

/// cvt.sat between integers: `immediate` and `c`, `e` hold the destination's limits.
template <class To, class From>
struct SaturatingInteger {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    using Source = typename View<From>::Slot;
    using Slot = typename View<To>::Slot;
    __extension__ typedef __int128 Wide;
    constexpr bool sign = To(-1) < To(0);
    constexpr Wide high =
        sign ? (Wide{1} << (8 * sizeof(To) - 1)) - 1 : (Wide{1} << (8 * sizeof(To))) - 1;
    constexpr Wide low = sign ? -high - 1 : 0;
    const Source* a = reg<Source>(w, i->a);
    alignas(64) Slot t[32];
    for (unsigned l = 0; l < 32; ++l) {
      const Wide value = View<From>::get(a[l]);
      t[l] = View<To>::put(static_cast<To>(value < low ? low : value > high ? high : value));
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

template <class To, class From>
struct IntegerToReal {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    using Source = typename View<From>::Slot;
    const Source* a = reg<Source>(w, i->a);
    alignas(64) To t[32];
    TILEWRIGHT_LANES t[l] = static_cast<To>(View<From>::get(a[l]));
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

TILEWRIGHT_INLINE float rounded(float a, u32 mode) {
  switch (mode) {
    case 0: return __builtin_rintf(a);
    case 1: return __builtin_truncf(a);
    case 2: return __builtin_floorf(a);
    default: return __builtin_ceilf(a);
  }
}
TILEWRIGHT_INLINE double rounded(double a, u32 mode) {
  switch (mode) {
    case 0: return __builtin_rint(a);
    case 1: return __builtin_trunc(a);
    case 2: return __builtin_floor(a);
    default: return __builtin_ceil(a);
  }
}

template <class T>
TILEWRIGHT_INLINE void round_all(const T* a, T* t, u32 mode) {
  switch (mode) {
    case 0: TILEWRIGHT_LANES t[l] = rounded(a[l], 0); break;
    case 1: TILEWRIGHT_LANES t[l] = rounded(a[l], 1); break;
    case 2: TILEWRIGHT_LANES t[l] = rounded(a[l], 2); break;
    default: TILEWRIGHT_LANES t[l] = rounded(a[l], 3); break;
  }
}

template <class To, class From>
struct RealToInteger {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    using Slot = typename View<To>::Slot;
    constexpr bool sign = To(-1) < To(0);
    constexpr To high = sign ? To((u64{1} << (8 * sizeof(To) - 1)) - 1) : To(-1);
    constexpr To low = sign ? To(-high - 1) : To(0);
    // A NaN becomes 0, except that 64-bit results and f64 sources give only the top bit.
    constexpr To nan =
        sizeof(To) == 8 || sizeof(From) == 8 ? To(u64{1} << (8 * sizeof(To) - 1)) : To(0);
    alignas(64) From whole[32];
    alignas(64) Slot t[32];
    round_all(reg<From>(w, i->a), whole, i->n);
    // 2^bits is exact where the largest integer may not be.
    const From limit = static_cast<From>(u64{1} << (8 * sizeof(To) - 1)) * (sign ? 1 : 2);
    TILEWRIGHT_LANES {
      const From value = whole[l];
      const bool inside = value < limit && value >= static_cast<From>(low);
      const To exact = static_cast<To>(inside ? value : From(0));
      const To limited = value != value ? nan : value >= limit ? high : low;
      t[l] = View<To>::put(inside ? exact : limited);
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

/// f32 or f64 rounded to an integer of the same type; flags 1: flush subnormals first.
template <class T>
struct RoundToWhole {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const T* a = reg<T>(w, i->a);
    alignas(64) T t[32], u[32];
    TILEWRIGHT_LANES u[l] = (i->flags & 1) != 0 ? flush(a[l]) : a[l];
    round_all(u, t, i->n);
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

template <class To, class From>
struct RealToReal {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const From* a = reg<From>(w, i->a);
    alignas(64) To t[32];
    TILEWRIGHT_LANES t[l] = static_cast<To>(a[l]);
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

template <bool brain>
struct HalfToFloat {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32* a = reg<u32>(w, i->a);
    alignas(64) float t[32];
    TILEWRIGHT_LANES t[l] = from_half(a[l], brain);
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

template <bool brain>
struct FloatToHalf {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const float* a = reg<float>(w, i->a);
    alignas(64) u32 t[32];
    if (i->n == 1) {
      TILEWRIGHT_LANES t[l] = to_half(a[l], brain, true);
    } else {
      TILEWRIGHT_LANES t[l] = to_half(a[l], brain);
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

/// f64 or a 64-bit integer to 16 bits with one rounding.
template <class From, bool brain>
struct WideToHalf {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const From* a = reg<From>(w, i->a);
    alignas(64) u32 t[32];
    for (unsigned l = 0; l < 32; ++l) {
      double value = static_cast<double>(a[l]);
      if constexpr (sizeof(From) == 8 && From(0.5) == From(0)) {
        // Keep a sticky bit of what f64 cannot hold; it is far below the target's last place.
        constexpr int dropped = 11;
        const bool inexact = (u64(a[l]) & ((u64{1} << dropped) - 1)) != 0;
        const u64 kept = u64(a[l]) & ~((u64{1} << dropped) - 1);
        if (inexact) {
          value = static_cast<double>(From(kept | (u64{1} << dropped)));
        }
      }
      t[l] = to_half(narrow_to_odd(value), brain, i->n == 1);
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

/// cvt.rn.f16x2.f32 d, a, b: a to the upper half. flags 1: bfloat16.
template <bool brain>
struct PairToHalves {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const float *a = reg<float>(w, i->a), *b = reg<float>(w, i->b);
    alignas(64) u32 t[32];
    if (i->n == 1) {
      TILEWRIGHT_LANES t[l] = to_half(b[l], brain, true) | (to_half(a[l], brain, true) << 16);
    } else {
      TILEWRIGHT_LANES t[l] = to_half(b[l], brain) | (to_half(a[l], brain) << 16);
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

/// cvt.rna.tf32.f32: ten fraction bits, ties away from zero; the rest of the word is zero.
struct ToTensorFloat {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32* a = reg<u32>(w, i->a);
    const u32 mode = i->n;
    alignas(64) u32 t[32];
    TILEWRIGHT_LANES {
      const u32 tie = (a[l] >> 13) & 1;
      const u32 bias = mode == 1 ? 0u : mode == 4 ? 0x1000u : 0xfffu + tie;
      const bool finite = (a[l] & 0x7f800000u) != 0x7f800000u;
      t[l] = (finite ? a[l] + bias : a[l]) & 0xffffe000u;
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

template <template <class, class> class Shape, class From>
Handlers to_integer(Type to) {
  switch (to) {
    case Type::u8: return handlers<Shape<u8, From>>();
    case Type::s8: return handlers<Shape<s8, From>>();
    case Type::u16: return handlers<Shape<u16, From>>();
    case Type::s16: return handlers<Shape<s16, From>>();
    case Type::u32: return handlers<Shape<u32, From>>();
    case Type::s32: return handlers<Shape<s32, From>>();
    case Type::u64: return handlers<Shape<u64, From>>();
    case Type::s64: return handlers<Shape<s64, From>>();
    default: return {};
  }
}

/// For plain conversions the sign of the destination does not matter from 32 bits on.
template <class From>
Handlers integer_to(Type to, bool saturate) {
  if (saturate) return to_integer<SaturatingInteger, From>(to);
  switch (to) {
    case Type::f32: return handlers<IntegerToReal<float, From>>();
    case Type::f64: return handlers<IntegerToReal<double, From>>();
    default: return to_integer<IntegerToInteger, From>(to);
  }
}

template <bool brain>
Handlers to_half_from(Type from) {
  switch (from) {
    case Type::f32: return handlers<FloatToHalf<brain>>();
    case Type::f64: return handlers<WideToHalf<double, brain>>();
    case Type::s64: return handlers<WideToHalf<s64, brain>>();
    case Type::u64: return handlers<WideToHalf<u64, brain>>();
    default: return {};
  }
}

Handlers from_integer(Type to, Type from, bool saturate) {
  switch (from) {
    case Type::u8: return integer_to<u8>(to, saturate);
    case Type::s8: return integer_to<s8>(to, saturate);
    case Type::u16: return integer_to<u16>(to, saturate);
    case Type::s16: return integer_to<s16>(to, saturate);
    case Type::u32: return integer_to<u32>(to, saturate);
    case Type::s32: return integer_to<s32>(to, saturate);
    case Type::u64: return integer_to<u64>(to, saturate);
    case Type::s64: return integer_to<s64>(to, saturate);
    default: return {};
  }
}

}  // namespace

Handlers convert(Type to, Type from, const Form& form) {
  if (to == Type::f16x2) return handlers<PairToHalves<false>>();
  if (to == Type::bf16x2) return handlers<PairToHalves<true>>();
  if (to == Type::tf32) return handlers<ToTensorFloat>();
  if (to == Type::f16) return to_half_from<false>(from);
  if (to == Type::bf16) return to_half_from<true>(from);
  if (from == Type::f16) return to == Type::f32 ? handlers<HalfToFloat<false>>() : Handlers{};
  if (from == Type::bf16) return to == Type::f32 ? handlers<HalfToFloat<true>>() : Handlers{};
  if (from == Type::f32) {
    if (to == Type::f32) return handlers<RoundToWhole<float>>();
    if (to == Type::f64) return handlers<RealToReal<double, float>>();
    return to_integer<RealToInteger, float>(to);
  }
  if (from == Type::f64) {
    if (to == Type::f64) return handlers<RoundToWhole<double>>();
    if (to == Type::f32) return handlers<RealToReal<float, double>>();
    return to_integer<RealToInteger, double>(to);
  }
  return from_integer(to, from, form.has(Modifier::sat) && !is_real(to));
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
