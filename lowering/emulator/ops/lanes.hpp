// What every vector handler needs: typed views of registers, the active lanes, blending.
// Files that include this are compiled once per instruction set (TILEWRIGHT_VARIANT names the
// namespace) and must use nothing that another translation unit could share: no std containers.
#pragma once

#include <cstdint>
#include <cstring>

#include "emulator/warp.hpp"

#if defined(__AVX2__) || defined(__F16C__)
#include <immintrin.h>
#endif

#if !defined(TILEWRIGHT_VARIANT)
#error "compile with -DTILEWRIGHT_VARIANT=<name>"
#endif

#if defined(__clang__)
#define TILEWRIGHT_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define TILEWRIGHT_INDEPENDENT _Pragma("GCC ivdep")
#endif

/// A loop over the 32 lanes whose iterations are independent (a destination may be a source).
#define TILEWRIGHT_LANES TILEWRIGHT_INDEPENDENT for (unsigned l = 0; l < 32; ++l)
#define TILEWRIGHT_INLINE [[gnu::always_inline]] static inline

namespace tilewright::emulator::TILEWRIGHT_VARIANT {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;

/// Handlers do not clear the upper halves of vector registers at their end; code that was compiled
/// for any processor is slow until someone does. Before calls to it that are frequent, and at the
/// end of a stretch of handlers.
TILEWRIGHT_INLINE void leave_vectors() {
#if defined(__AVX__)
  _mm256_zeroupper();
#endif
}

template <class T>
TILEWRIGHT_INLINE T* reg(Warp* w, u32 offset) {
  return static_cast<T*>(__builtin_assume_aligned(reinterpret_cast<T*>(w->registers + offset), 64));
}

/// Lanes that execute: of the full stream all, of the masked one those running and not guarded off.
template <bool masked>
TILEWRIGHT_INLINE u32 active(const Instruction* i, const Warp* w) {
  u32 lanes = masked ? w->mask : all_lanes;
  if (masked && i->guard != 0) lanes &= w->predicates[i->guard >> 1] ^ (0u - (i->guard & 1));
  return lanes;
}

template <class To, class From>
TILEWRIGHT_INLINE To bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}

/// How a value type lives in a register slot: small types in four bytes, of which only their own
/// low bytes mean anything.
template <class T>
struct View {
  using Slot = T;
  TILEWRIGHT_INLINE T get(Slot slot) { return slot; }
  TILEWRIGHT_INLINE Slot put(T value) { return value; }
};
template <class T>
struct SmallView {
  using Slot = u32;
  TILEWRIGHT_INLINE T get(u32 slot) { return static_cast<T>(slot); }
  TILEWRIGHT_INLINE u32 put(T value) { return static_cast<u32>(static_cast<s32>(value)); }
};
template <>
struct View<u8> : SmallView<u8> {};
template <>
struct View<s8> : SmallView<s8> {};
template <>
struct View<u16> : SmallView<u16> {};
template <>
struct View<s16> : SmallView<s16> {};

/// d = t where the mask has a bit.
TILEWRIGHT_INLINE void blend(u32* d, const u32* t, u32 mask) {
#if defined(__AVX512F__)
  _mm512_store_si512(d, _mm512_mask_mov_epi32(_mm512_load_si512(d), static_cast<__mmask16>(mask),
                                              _mm512_load_si512(t)));
  _mm512_store_si512(
      d + 16, _mm512_mask_mov_epi32(_mm512_load_si512(d + 16), static_cast<__mmask16>(mask >> 16),
                                    _mm512_load_si512(t + 16)));
#else
  TILEWRIGHT_LANES {
    const u32 keep = 0u - ((mask >> l) & 1);
    d[l] = (d[l] & ~keep) | (t[l] & keep);
  }
#endif
}
TILEWRIGHT_INLINE void blend(u64* d, const u64* t, u32 mask) {
#if defined(__AVX512F__)
  for (unsigned part = 0; part < 4; ++part) {
    _mm512_store_si512(d + 8 * part,
                       _mm512_mask_mov_epi64(_mm512_load_si512(d + 8 * part),
                                             static_cast<__mmask8>(mask >> (8 * part)),
                                             _mm512_load_si512(t + 8 * part)));
  }
#else
  TILEWRIGHT_LANES {
    const u64 keep = u64{0} - ((mask >> l) & 1);
    d[l] = (d[l] & ~keep) | (t[l] & keep);
  }
#endif
}
template <class Slot>
TILEWRIGHT_INLINE void blend(Slot* d, const Slot* t, u32 mask) {
  if constexpr (sizeof(Slot) == 4) {
    blend(reinterpret_cast<u32*>(d), reinterpret_cast<const u32*>(t), mask);
  } else {
    blend(reinterpret_cast<u64*>(d), reinterpret_cast<const u64*>(t), mask);
  }
}

/// Writes a computed vector under the active lanes.
template <bool masked, class Slot>
TILEWRIGHT_INLINE void write(const Instruction* i, Warp* w, u32 offset, const Slot* t) {
  Slot* d = reg<Slot>(w, offset);
  if constexpr (masked) {
    blend(d, t, active<true>(i, w));
  } else {
    __builtin_memcpy(d, t, 32 * sizeof(Slot));
  }
}

/// One bit per lane whose word is all ones; words are 0 or ~0.
TILEWRIGHT_INLINE u32 mask_of(const u32* words) {
#if defined(__AVX512DQ__)
  return static_cast<u32>(_mm512_movepi32_mask(_mm512_load_si512(words))) |
         (static_cast<u32>(_mm512_movepi32_mask(_mm512_load_si512(words + 16))) << 16);
#elif defined(__AVX2__)
  u32 result = 0;
  for (unsigned part = 0; part < 4; ++part) {
    const __m256i v = _mm256_load_si256(reinterpret_cast<const __m256i*>(words + 8 * part));
    result |= static_cast<u32>(_mm256_movemask_ps(_mm256_castsi256_ps(v))) << (8 * part);
  }
  return result;
#else
  u32 result = 0;
  for (unsigned l = 0; l < 32; ++l) result |= (words[l] & 1) << l;
  return result;
#endif
}

TILEWRIGHT_INLINE void set_predicate(Warp* w, u32 predicate, u32 value, u32 lanes) {
  w->predicates[predicate] = (w->predicates[predicate] & ~lanes) | (value & lanes);
}

/// The end of a handler: in the full stream on to the next instruction at once, a jump instead of
/// a return, a test and a call. Handlers whose locals other functions get to see return `i + 1`
/// instead, because a compiler makes a call of this then, and calls would pile up to the end of the
/// block. So do those of the masked stream, where the scheduler may want one instruction only.
template <bool masked>
TILEWRIGHT_INLINE const Instruction* next(const Instruction* i, Warp* w) {
  return masked ? i + 1 : i[1].run(i + 1, w);
}

/// A handler type `H` has `template <bool masked> run`; this is its pair for the two streams.
template <class H>
Handlers handlers() {
  Handlers found = {&H::template run<false>, &H::template run<true>};
  if constexpr (requires { &H::run_constant_a; }) found.constant_a = &H::run_constant_a;
  if constexpr (requires { &H::run_constant_b; }) found.constant_b = &H::run_constant_b;
  return found;
}

/// The constant in `immediate` as an operand of type T.
template <class T>
TILEWRIGHT_INLINE T constant(const Instruction* i) {
  using Slot = typename View<T>::Slot;
  if constexpr (sizeof(Slot) == 8) return View<T>::get(bits<Slot>(i->immediate));
  if constexpr (sizeof(Slot) == 4) return View<T>::get(bits<Slot>(u32(i->immediate)));
}

template <class T, class Op>
struct Unary {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    using Slot = typename View<T>::Slot;
    const Slot* a = reg<Slot>(w, i->a);
    if constexpr (!masked) {
      Slot* d = reg<Slot>(w, i->d);
      TILEWRIGHT_LANES d[l] = View<T>::put(Op::of(View<T>::get(a[l])));
    } else {
      alignas(64) Slot t[32];
      TILEWRIGHT_LANES t[l] = View<T>::put(Op::of(View<T>::get(a[l])));
      write<masked>(i, w, i->d, t);
    }
    return next<masked>(i, w);
  }

  static const Instruction* run_constant_a(const Instruction* i, Warp* w) {
    using Slot = typename View<T>::Slot;
    Slot* d = reg<Slot>(w, i->d);
    const Slot result = View<T>::put(Op::of(constant<T>(i)));
    TILEWRIGHT_LANES d[l] = result;
    return next<false>(i, w);
  }
};

template <class T, class Op>
struct Binary {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    using Slot = typename View<T>::Slot;
    const Slot *a = reg<Slot>(w, i->a), *b = reg<Slot>(w, i->b);
    if constexpr (!masked) {
      Slot* d = reg<Slot>(w, i->d);
      TILEWRIGHT_LANES d[l] = View<T>::put(Op::of(View<T>::get(a[l]), View<T>::get(b[l])));
    } else {
      alignas(64) Slot t[32];
      TILEWRIGHT_LANES t[l] = View<T>::put(Op::of(View<T>::get(a[l]), View<T>::get(b[l])));
      write<masked>(i, w, i->d, t);
    }
    return next<masked>(i, w);
  }

  static const Instruction* run_constant_b(const Instruction* i, Warp* w) {
    using Slot = typename View<T>::Slot;
    const Slot* a = reg<Slot>(w, i->a);
    Slot* d = reg<Slot>(w, i->d);
    const T b = constant<T>(i);
    TILEWRIGHT_LANES d[l] = View<T>::put(Op::of(View<T>::get(a[l]), b));
    return next<false>(i, w);
  }
};

template <class T, class Op>
struct Ternary {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    using Slot = typename View<T>::Slot;
    const Slot *a = reg<Slot>(w, i->a), *b = reg<Slot>(w, i->b), *c = reg<Slot>(w, i->c);
    const auto one = [&](unsigned l) {
      return View<T>::put(Op::of(View<T>::get(a[l]), View<T>::get(b[l]), View<T>::get(c[l])));
    };
    if constexpr (!masked) {
      Slot* d = reg<Slot>(w, i->d);
      TILEWRIGHT_LANES d[l] = one(l);
    } else {
      alignas(64) Slot t[32];
      TILEWRIGHT_LANES t[l] = one(l);
      write<masked>(i, w, i->d, t);
    }
    return next<masked>(i, w);
  }
};

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
