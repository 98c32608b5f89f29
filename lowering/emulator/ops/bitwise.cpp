// Bits: logic, shifts, fields, counts, permutations. Shift amounts above the width are clamped, as
// PTX says, never reduced. Field positions and lengths use the low eight bits of their operand.
#include "emulator/ops/lanes.hpp"
#include "emulator/ops/selection.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {
namespace {

#define OPERATION(name, result, ...)      \
  struct name {                           \
    template <class T>                    \
    TILEWRIGHT_INLINE T of(__VA_ARGS__) { \
      return T(result);                   \
    }                                     \
  }
OPERATION(And, a& b, T a, T b);
OPERATION(Or, a | b, T a, T b);
OPERATION(Xor, a ^ b, T a, T b);
OPERATION(Not, ~a, T a);
OPERATION(LogicalNot, a == 0 ? 1 : 0, T a);

/// The amount is a 32-bit operand whatever is shifted.
template <class T, bool left>
struct Shift {
  using Slot = typename View<T>::Slot;

  TILEWRIGHT_INLINE Slot of(Slot slot, u32 amount) {
    constexpr u32 width = 8 * sizeof(T);
    constexpr bool arithmetic = T(-1) < T(0);
    const T value = View<T>::get(slot);
    if constexpr (arithmetic && !left) {
      return View<T>::put(T(value >> (amount >= width ? width - 1 : amount)));
    } else {
      const T moved =
          left ? T(value << (amount & (width - 1))) : T(value >> (amount & (width - 1)));
      return View<T>::put(amount >= width ? T(0) : moved);
    }
  }

  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const Slot* a = reg<Slot>(w, i->a);
    const u32* b = reg<u32>(w, i->b);
    alignas(64) Slot t[32];
    TILEWRIGHT_LANES t[l] = of(a[l], b[l]);
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }

  static const Instruction* run_constant_b(const Instruction* i, Warp* w) {
    const Slot* a = reg<Slot>(w, i->a);
    Slot* d = reg<Slot>(w, i->d);
    const u32 amount = u32(i->immediate);
    TILEWRIGHT_LANES d[l] = of(a[l], amount);
    return next<false>(i, w);
  }
};

/// shf: flags 1: clamp to 32 (else modulo 32).
template <bool left>
struct Funnel {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32 *a = reg<u32>(w, i->a), *b = reg<u32>(w, i->b), *c = reg<u32>(w, i->c);
    const bool clamp = (i->flags & 1) != 0;
    alignas(64) u32 t[32];
    TILEWRIGHT_LANES {
      const u32 amount = clamp ? (c[l] > 32 ? 32 : c[l]) : c[l] & 31;
      const u64 both = (u64{b[l]} << 32) | a[l];
      t[l] = left ? u32((both << amount) >> 32) : u32(both >> amount);
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

template <class T>
TILEWRIGHT_INLINE T field_mask(u32 length) {
  return length >= 8 * sizeof(T) ? T(-1) : T((T(1) << length) - 1);
}

template <class T, bool sign>
struct ExtractField {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    constexpr u32 width = 8 * sizeof(T);
    const T* a = reg<T>(w, i->a);
    const u32 *b = reg<u32>(w, i->b), *c = reg<u32>(w, i->c);
    alignas(64) T t[32];
    for (unsigned l = 0; l < 32; ++l) {
      const u32 position = b[l] & 255, length = c[l] & 255;
      const T mask = field_mask<T>(length);
      T value = position >= width ? T(0) : T(a[l] >> position);
      if (sign) {
        // Beyond the operand's top the field continues with its sign.
        const u32 top = position + length - 1 < width - 1 ? position + length - 1 : width - 1;
        const bool negative = length != 0 && ((a[l] >> top) & 1) != 0;
        const u32 known = position >= width ? 0 : top - position + 1;
        value = T((value & field_mask<T>(known)) | (negative ? T(~field_mask<T>(known)) : T(0)));
        t[l] = length == 0 ? T(0) : value;
      } else {
        t[l] = T(value & mask);
      }
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

template <class T>
struct InsertField {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const T *a = reg<T>(w, i->a), *b = reg<T>(w, i->b);
    const u32 *c = reg<u32>(w, i->c), *e = reg<u32>(w, i->e);
    alignas(64) T t[32];
    TILEWRIGHT_LANES {
      const u32 position = c[l] & 255, length = e[l] & 255;
      const bool inside = position < 8 * sizeof(T);
      const u32 shift = inside ? position : 0;
      const T mask = inside ? T(field_mask<T>(length) << shift) : T(0);
      t[l] = T((b[l] & ~mask) | (T(a[l] << shift) & mask));
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

TILEWRIGHT_INLINE u32 leading(u32 a) { return a == 0 ? 32 : u32(__builtin_clz(a)); }
TILEWRIGHT_INLINE u32 leading(u64 a) { return a == 0 ? 64 : u32(__builtin_clzll(a)); }
struct CountLeading {
  template <class T>
  TILEWRIGHT_INLINE u32 of(T a) {
    return leading(a);
  }
};
struct CountOnes {
  template <class T>
  TILEWRIGHT_INLINE u32 of(T a) {
    return u32(__builtin_popcountll(a));
  }
};
/// bfind: the highest bit that differs from the sign; all ones when there is none.
template <bool sign, bool distance>
struct FindHighest {
  template <class T>
  TILEWRIGHT_INLINE u32 of(T a) {
    constexpr u32 width = 8 * sizeof(T);
    const T value = sign && (a >> (width - 1)) != 0 ? T(~a) : a;
    if (value == 0) return ~0u;
    return distance ? leading(value) : width - 1 - leading(value);
  }
};

/// From 32 or 64 bits to a 32-bit count.
template <class T, class Op>
struct Counting {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const T* a = reg<T>(w, i->a);
    alignas(64) u32 t[32];
    TILEWRIGHT_LANES t[l] = Op::of(a[l]);
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

struct Reverse {
  TILEWRIGHT_INLINE u64 of(u64 a) {
    a = __builtin_bswap64(a);
    a = ((a >> 4) & 0x0f0f0f0f0f0f0f0full) | ((a & 0x0f0f0f0f0f0f0f0full) << 4);
    a = ((a >> 2) & 0x3333333333333333ull) | ((a & 0x3333333333333333ull) << 2);
    return ((a >> 1) & 0x5555555555555555ull) | ((a & 0x5555555555555555ull) << 1);
  }
  TILEWRIGHT_INLINE u32 of(u32 a) { return u32(of(u64{a} << 32)); }
};

/// lop3: the truth table is `immediate`, a the high bit of its index.
struct Logic3 {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32 *a = reg<u32>(w, i->a), *b = reg<u32>(w, i->b), *c = reg<u32>(w, i->c);
    alignas(64) u32 t[32] = {};
    for (u32 row = 0; row < 8; ++row) {
      if (((i->immediate >> row) & 1) == 0) continue;
      const u32 fa = (row & 4) != 0 ? 0 : ~0u, fb = (row & 2) != 0 ? 0 : ~0u,
                fc = (row & 1) != 0 ? 0 : ~0u;
      TILEWRIGHT_LANES t[l] |= (a[l] ^ fa) & (b[l] ^ fb) & (c[l] ^ fc);
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

/// prmt: n is the mode, 0 the general one; the others are selectors made of c's low two bits.
struct Permute {
  TILEWRIGHT_INLINE u32 selector(u32 mode, u32 c) {
    constexpr u16 table[7][4] = {{0, 0, 0, 0},
                                 {0x3210, 0x4321, 0x5432, 0x6543},   // f4e
                                 {0x5670, 0x6701, 0x7012, 0x0123},   // b4e
                                 {0x0000, 0x1111, 0x2222, 0x3333},   // rc8
                                 {0x3210, 0x3211, 0x3222, 0x3333},   // ecl
                                 {0x0000, 0x1110, 0x2210, 0x3210},   // ecr
                                 {0x1010, 0x3232, 0x1010, 0x3232}};  // rc16
    return mode == 0 ? c : table[mode][c & 3];
  }
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32 *a = reg<u32>(w, i->a), *b = reg<u32>(w, i->b), *c = reg<u32>(w, i->c);
    const u32 mode = i->n;
    alignas(64) u32 t[32];
    for (unsigned l = 0; l < 32; ++l) {
      const u64 both = (u64{b[l]} << 32) | a[l];
      const u32 pick = selector(mode, c[l]);
      u32 result = 0;
      for (u32 byte = 0; byte < 4; ++byte) {
        const u32 nibble = (pick >> (4 * byte)) & 15;
        u32 value = u32(both >> (8 * (nibble & 7))) & 255;
        if ((nibble & 8) != 0) value = (value & 128) != 0 ? 255 : 0;
        result |= value << (8 * byte);
      }
      t[l] = result;
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

/// bmsk (n = 0) makes a mask of c bits at b; szext (n = 1 signed, 2 unsigned) keeps b bits of a.
struct MaskMaking {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32 *a = reg<u32>(w, i->a), *b = reg<u32>(w, i->b);
    const bool clamp = (i->flags & 1) != 0;
    alignas(64) u32 t[32];
    for (unsigned l = 0; l < 32; ++l) {
      const u32 y = clamp ? (b[l] > 32 ? 32 : b[l]) : b[l] & 31;
      if (i->n == 0) {
        const u32 x = clamp ? (a[l] > 32 ? 32 : a[l]) : a[l] & 31;
        t[l] = x >= 32 ? 0 : field_mask<u32>(y) << x;
      } else {
        const u32 kept = a[l] & field_mask<u32>(y);
        const bool negative = i->n == 1 && y != 0 && ((a[l] >> (y - 1)) & 1) != 0;
        t[l] = negative ? kept | ~field_mask<u32>(y) : kept;
      }
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

/// fns: the n-th set bit from a base.
struct FindNthSet {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32 *a = reg<u32>(w, i->a), *b = reg<u32>(w, i->b), *c = reg<u32>(w, i->c);
    alignas(64) u32 t[32];
    for (unsigned l = 0; l < 32; ++l) {
      const s32 offset = s32(c[l]);
      s32 left = offset < 0 ? -offset : offset;
      const s32 step = offset < 0 ? -1 : 1;
      u32 found = ~0u;
      for (s32 at = s32(b[l] & 31); at >= 0 && at < 32; at += step) {
        if (((a[l] >> at) & 1) != 0 && --left <= 0) {
          found = u32(at);
          break;
        }
        if (offset == 0) break;
      }
      t[l] = found;
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

/// Predicates: n 1: a inverted, 2: b inverted; flags: 0 and, 1 or, 2 xor, 3 not a, 4 a.
struct PredicateLogic {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    u32 a = w->predicates[i->a], b = w->predicates[i->b];
    if ((i->n & 1) != 0) a = ~a;
    if ((i->n & 2) != 0) b = ~b;
    u32 result = a;
    switch (i->flags) {
      case 0: result = a & b; break;
      case 1: result = a | b; break;
      case 2: result = a ^ b; break;
      case 3: result = ~a; break;
      default: break;
    }
    set_predicate(w, i->d, result, active<masked>(i, w));
    return next<masked>(i, w);
  }
};

template <class Op>
Handlers counting(Type type) {
  return bytes_of(type) == 8 ? handlers<Counting<u64, Op>>() : handlers<Counting<u32, Op>>();
}

Handlers shift_right(Type type) {
  switch (type) {
    case Type::s16: return handlers<Shift<s16, false>>();
    case Type::s32: return handlers<Shift<s32, false>>();
    case Type::s64: return handlers<Shift<s64, false>>();
    case Type::b16:
    case Type::u16: return handlers<Shift<u16, false>>();
    case Type::b32:
    case Type::u32: return handlers<Shift<u32, false>>();
    case Type::b64:
    case Type::u64: return handlers<Shift<u64, false>>();
    default: return {};
  }
}

Handlers logic(const Form& form) {
  const Type type = form.last();
  if (type == Type::pred) return handlers<PredicateLogic>();
  switch (form.opcode) {
    case Opcode::and_: return of_bits<Binary, And>(type);
    case Opcode::or_: return of_bits<Binary, Or>(type);
    case Opcode::xor_: return of_bits<Binary, Xor>(type);
    case Opcode::not_: return of_bits<Unary, Not>(type);
    default: return of_bits<Unary, LogicalNot>(type);
  }
}

}  // namespace

Handlers bitwise(const Form& form) {
  const Type type = form.last();
  const bool wide = bytes_of(type) == 8;
  switch (form.opcode) {
    case Opcode::and_:
    case Opcode::or_:
    case Opcode::xor_:
    case Opcode::not_:
    case Opcode::cnot: return logic(form);
    case Opcode::shl:
      if (bytes_of(type) == 2) return handlers<Shift<u16, true>>();
      return wide ? handlers<Shift<u64, true>>() : handlers<Shift<u32, true>>();
    case Opcode::shr: return shift_right(type);
    case Opcode::shf:
      return form.has(Modifier::l) ? handlers<Funnel<true>>() : handlers<Funnel<false>>();
    case Opcode::bfe:
      if (is_signed(type)) {
        return wide ? handlers<ExtractField<u64, true>>() : handlers<ExtractField<u32, true>>();
      }
      return wide ? handlers<ExtractField<u64, false>>() : handlers<ExtractField<u32, false>>();
    case Opcode::bfi: return wide ? handlers<InsertField<u64>>() : handlers<InsertField<u32>>();
    case Opcode::bfind:
      if (form.has(Modifier::shiftamt)) {
        return is_signed(type) ? counting<FindHighest<true, true>>(type)
                               : counting<FindHighest<false, true>>(type);
      }
      return is_signed(type) ? counting<FindHighest<true, false>>(type)
                             : counting<FindHighest<false, false>>(type);
    case Opcode::clz: return counting<CountLeading>(type);
    case Opcode::popc: return counting<CountOnes>(type);
    case Opcode::brev:
      return wide ? handlers<Unary<u64, Reverse>>() : handlers<Unary<u32, Reverse>>();
    case Opcode::lop3: return handlers<Logic3>();
    case Opcode::prmt: return handlers<Permute>();
    case Opcode::bmsk:
    case Opcode::szext: return handlers<MaskMaking>();
    case Opcode::fns: return handlers<FindNthSet>();
    default: return {};
  }
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
