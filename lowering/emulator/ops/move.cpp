// Copies, packing and the small steps the decoder composes other instructions of (variant.hpp
// lists them). Vector operands come as offsets in `list`, `n` of them; an offset may be a scratch
// slot for `_`.
#include "emulator/ops/floats.hpp"
#include "emulator/ops/selection.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {
namespace {

struct Same {
  template <class T>
  TILEWRIGHT_INLINE T of(T a) {
    return a;
  }
};
struct Flush {
  TILEWRIGHT_INLINE float of(float a) { return flush(a); }
};
struct Saturate {
  template <class T>
  TILEWRIGHT_INLINE T of(T a) {
    return a > T(0) ? (a < T(1) ? a : T(1)) : T(0);
  }
};

struct CopyPredicate {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    set_predicate(w, i->d, w->predicates[i->a], active<masked>(i, w));
    return next<masked>(i, w);
  }
};

template <class To, class From>
struct Resize {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const From* a = reg<From>(w, i->a);
    alignas(64) To t[32];
    TILEWRIGHT_LANES t[l] = static_cast<To>(a[l]);
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

/// `count` elements of `width` bits side by side in one Slot, or spread out again.
template <class Slot, unsigned width, bool pack>
struct Packing {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    constexpr u64 mask = (u64{1} << width) - 1;
    const unsigned count = i->n;
    if constexpr (pack) {
      alignas(64) Slot t[32] = {};
      for (unsigned k = 0; k < count; ++k) {
        const u32* a = reg<u32>(w, i->list[k]);
        TILEWRIGHT_LANES t[l] |= Slot(Slot(a[l] & u32(mask)) << (width * k));
      }
      write<masked>(i, w, i->d, t);
    } else {
      alignas(64) Slot source[32];
      __builtin_memcpy(source, reg<Slot>(w, i->a), sizeof source);
      for (unsigned k = 0; k < count; ++k) {
        alignas(64) u32 t[32];
        TILEWRIGHT_LANES t[l] = u32((source[l] >> (width * k)) & mask);
        write<masked>(i, w, i->list[k], t);
      }
    }
    return next<masked>(i, w);
  }
};

struct OrWide {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u64* a = reg<u64>(w, i->a);
    const u64 keep = (i->flags & 1) != 0 ? 0xffffffffull : ~0ull, add = i->immediate;
    alignas(64) u64 t[32];
    TILEWRIGHT_LANES t[l] = (a[l] & keep) | add;
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

struct InWindow {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u64* a = reg<u64>(w, i->a);
    u32 value = 0;
    for (unsigned l = 0; l < 32; ++l) value |= u32{(a[l] >> window_shift) == i->immediate} << l;
    set_predicate(w, i->d, value, active<masked>(i, w));
    return next<masked>(i, w);
  }
};

/// Clamps 16-bit values from below at 0, and from above at 1 when saturating.
template <bool saturate>
struct ClampHalves {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32* a = reg<u32>(w, i->a);
    const bool brain = (i->flags & 1) != 0, both = (i->flags & 2) != 0;
    alignas(64) u32 t[32];
    for (unsigned l = 0; l < 32; ++l) {
      t[l] = 0;
      for (unsigned shift = 0; shift <= (both ? 16u : 0u); shift += 16) {
        float value = from_half(a[l] >> shift, brain);
        if (saturate) {
          value = Saturate::of(value);
        } else if (value <= 0) {
          value = 0;
        }
        t[l] |= to_half(value, brain) << shift;
      }
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

}  // namespace

Handlers move(Move which) {
  switch (which) {
    case Move::copy_narrow: return handlers<Unary<u32, Same>>();
    case Move::copy_wide: return handlers<Unary<u64, Same>>();
    case Move::copy_predicate: return handlers<CopyPredicate>();
    case Move::widen_unsigned: return handlers<Resize<u64, u32>>();
    case Move::widen_signed: return handlers<Resize<s64, s32>>();
    case Move::narrow: return handlers<Resize<u32, u64>>();
    case Move::pack_16: return handlers<Packing<u32, 16, true>>();
    case Move::unpack_16: return handlers<Packing<u32, 16, false>>();
    case Move::pack_32: return handlers<Packing<u64, 32, true>>();
    case Move::unpack_32: return handlers<Packing<u64, 32, false>>();
    case Move::pack_4x16: return handlers<Packing<u64, 16, true>>();
    case Move::unpack_4x16: return handlers<Packing<u64, 16, false>>();
    case Move::pack_bytes: return handlers<Packing<u32, 8, true>>();
    case Move::unpack_bytes: return handlers<Packing<u32, 8, false>>();
    case Move::or_wide: return handlers<OrWide>();
    case Move::in_window: return handlers<InWindow>();
    case Move::flush_narrow: return handlers<Unary<float, Flush>>();
    case Move::saturate_f32: return handlers<Unary<float, Saturate>>();
    case Move::saturate_f64: return handlers<Unary<double, Saturate>>();
    case Move::saturate_f16: return handlers<ClampHalves<true>>();
    case Move::relu_f16: return handlers<ClampHalves<false>>();
  }
  return {};
}

void leave() { leave_vectors(); }

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
