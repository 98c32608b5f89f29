// Integer arithmetic: add, sub, mul, mad, div, rem, min, max, abs, neg, sad, 24-bit and carry
// forms. Values wrap; division by zero gives what the hardware gives (all ones, or the dividend for
// rem) and never traps the host.
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

OPERATION(Add, a + b, T a, T b);
OPERATION(Sub, a - b, T a, T b);
OPERATION(Mul, a* b, T a, T b);
OPERATION(Min, a < b ? a : b, T a, T b);
OPERATION(Max, a > b ? a : b, T a, T b);
OPERATION(Neg, T(0) - a, T a);
OPERATION(Abs, a < 0 ? T(0) - a : a, T a);
OPERATION(MadLow, a* b + c, T a, T b, T c);
OPERATION(Sad, c + (a < b ? b - a : a - b), T a, T b, T c);

template <class T>
constexpr bool is_signed_value = T(-1) < T(0);

struct Div {
  template <class T>
  TILEWRIGHT_INLINE T of(T a, T b) {
    if (b == 0) return T(-1);
    if (is_signed_value<T> && b == T(-1)) return T(u64{0} - u64(a));
    return T(a / b);
  }
};
struct Rem {
  template <class T>
  TILEWRIGHT_INLINE T of(T a, T b) {
    if (b == 0) return a;
    if (is_signed_value<T> && b == T(-1)) return 0;
    return T(a % b);
  }
};

__extension__ typedef __int128 s128;
__extension__ typedef unsigned __int128 u128;
TILEWRIGHT_INLINE u16 high(u16 a, u16 b) { return u16((u32{a} * b) >> 16); }
TILEWRIGHT_INLINE s16 high(s16 a, s16 b) { return s16((s32{a} * b) >> 16); }
TILEWRIGHT_INLINE u32 high(u32 a, u32 b) { return u32((u64{a} * b) >> 32); }
TILEWRIGHT_INLINE s32 high(s32 a, s32 b) { return s32((s64{a} * b) >> 32); }
TILEWRIGHT_INLINE u64 high(u64 a, u64 b) { return u64((u128{a} * b) >> 64); }
TILEWRIGHT_INLINE s64 high(s64 a, s64 b) { return s64((s128{a} * b) >> 64); }

struct MulHigh {
  template <class T>
  TILEWRIGHT_INLINE T of(T a, T b) {
    return high(a, b);
  }
};
struct MadHigh {
  template <class T>
  TILEWRIGHT_INLINE T of(T a, T b, T c) {
    return T(high(a, b) + c);
  }
};

TILEWRIGHT_INLINE s32 clamp_s32(s64 value) {
  return value < INT32_MIN ? INT32_MIN : value > INT32_MAX ? INT32_MAX : s32(value);
}
struct AddSat {
  TILEWRIGHT_INLINE s32 of(s32 a, s32 b) { return clamp_s32(s64{a} + b); }
};
struct SubSat {
  TILEWRIGHT_INLINE s32 of(s32 a, s32 b) { return clamp_s32(s64{a} - b); }
};
struct MadHighSat {
  TILEWRIGHT_INLINE s32 of(s32 a, s32 b, s32 c) { return clamp_s32(s64{high(a, b)} + c); }
};

TILEWRIGHT_INLINE u32 low24(u32 a) { return a & 0xffffff; }
TILEWRIGHT_INLINE s32 low24(s32 a) { return s32(u32(a) << 8) >> 8; }
template <class T>
TILEWRIGHT_INLINE T product24(T a, T b, bool upper) {
  const s64 wide = s64(low24(a)) * low24(b);  // 48 bits: exact for both signs
  return T(upper ? wide >> 16 : wide);
}
OPERATION(Mul24Low, product24(a, b, false), T a, T b);
OPERATION(Mul24High, product24(a, b, true), T a, T b);
OPERATION(Mad24Low, product24(a, b, false) + c, T a, T b, T c);
OPERATION(Mad24High, product24(a, b, true) + c, T a, T b, T c);

/// mul.wide and mad.wide: the result has twice the bits.
template <class Wide, class T, bool accumulate>
struct Widening {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    using Source = typename View<T>::Slot;
    using Slot = typename View<Wide>::Slot;
    const Source *a = reg<Source>(w, i->a), *b = reg<Source>(w, i->b);
    const Slot* c = reg<Slot>(w, i->c);
    alignas(64) Slot t[32];
    TILEWRIGHT_LANES {
      Wide value = Wide(View<T>::get(a[l])) * Wide(View<T>::get(b[l]));
      if (accumulate) value += View<Wide>::get(c[l]);
      t[l] = View<Wide>::put(value);
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

/// add/sub/mad with carry in (flags 1) and out (flags 2); the carry is a hidden predicate.
template <class T, Opcode op, bool upper>
struct Carrying {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const T *a = reg<T>(w, i->a), *b = reg<T>(w, i->b), *c = reg<T>(w, i->c);
    const u32 in = (i->flags & 1) != 0 ? w->predicates[carry_predicate] : 0;
    alignas(64) T t[32];
    u32 out = 0;
    for (unsigned l = 0; l < 32; ++l) {
      u128 sum;
      const u32 carry = (in >> l) & 1;
      if constexpr (op == Opcode::add) {
        sum = u128{a[l]} + b[l] + carry;
      } else if constexpr (op == Opcode::sub) {
        sum = u128{a[l]} - b[l] - carry;
      } else {
        using Signed = std::conditional_t<sizeof(T) == 4, s32, s64>;
        const T product = !upper                ? T(a[l] * b[l])
                          : (i->flags & 4) != 0 ? T(high(Signed(a[l]), Signed(b[l])))
                                                : high(a[l], b[l]);
        sum = u128{product} + c[l] + carry;
      }
      t[l] = T(sum);
      out |= (u32(sum >> (8 * sizeof(T))) & 1) << l;
    }
    const u32 lanes = active<masked>(i, w);
    write<masked>(i, w, i->d, t);
    if ((i->flags & 2) != 0) set_predicate(w, carry_predicate, out, lanes);
    return next<masked>(i, w);
  }
};

/// dp4a, dp2a: flags 1: a signed, 2: b signed, 4: dp2a takes the upper half of b.
template <bool four>
struct DotProduct {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32 *a = reg<u32>(w, i->a), *b = reg<u32>(w, i->b), *c = reg<u32>(w, i->c);
    const bool sa = (i->flags & 1) != 0, sb = (i->flags & 2) != 0;
    alignas(64) u32 t[32];
    for (unsigned l = 0; l < 32; ++l) {
      s64 sum = s32(c[l]);
      for (unsigned k = 0; k < (four ? 4u : 2u); ++k) {
        const u32 x = four ? (a[l] >> (8 * k)) & 0xff : (a[l] >> (16 * k)) & 0xffff;
        const u32 y = (b[l] >> (8 * k + ((i->flags & 4) != 0 ? 16 : 0))) & 0xff;
        const s64 left = !sa ? s64{x} : four ? s64{s8(x)} : s64{s16(x)};
        sum += left * (sb ? s64{s8(y)} : s64{y});
      }
      t[l] = u32(sum);
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

template <Opcode op, bool upper = false>
Handlers carrying(Type type) {
  return bytes_of(type) == 8 ? handlers<Carrying<u64, op, upper>>()
                             : handlers<Carrying<u32, op, upper>>();
}

Handlers multiply(const Form& form) {
  const bool add = form.opcode == Opcode::mad;
  const Type type = form.last();
  if (form.has(Modifier::wide)) {
    switch (type) {
      case Type::s16:
        return add ? handlers<Widening<s32, s16, true>>() : handlers<Widening<s32, s16, false>>();
      case Type::u16:
        return add ? handlers<Widening<u32, u16, true>>() : handlers<Widening<u32, u16, false>>();
      case Type::s32:
        return add ? handlers<Widening<s64, s32, true>>() : handlers<Widening<s64, s32, false>>();
      case Type::u32:
        return add ? handlers<Widening<u64, u32, true>>() : handlers<Widening<u64, u32, false>>();
      default: return {};
    }
  }
  if (form.has(Modifier::hi)) {
    if (form.has(Modifier::sat)) {
      return add && type == Type::s32 ? handlers<Ternary<s32, MadHighSat>>() : Handlers{};
    }
    return add ? of_signed<Ternary, MadHigh>(type) : of_signed<Binary, MulHigh>(type);
  }
  if (!form.has(Modifier::lo)) return {};
  return add ? of_bits<Ternary, MadLow>(type) : of_bits<Binary, Mul>(type);
}

Handlers multiply24(const Form& form) {
  const bool add = form.opcode == Opcode::mad24, upper = form.has(Modifier::hi);
  if (form.last() == Type::s32) {
    return add ? upper ? handlers<Ternary<s32, Mad24High>>() : handlers<Ternary<s32, Mad24Low>>()
           : upper ? handlers<Binary<s32, Mul24High>>()
                   : handlers<Binary<s32, Mul24Low>>();
  }
  if (form.last() != Type::u32) return {};
  return add     ? upper ? handlers<Ternary<u32, Mad24High>>() : handlers<Ternary<u32, Mad24Low>>()
             : upper ? handlers<Binary<u32, Mul24High>>()
                 : handlers<Binary<u32, Mul24Low>>();
}

}  // namespace

Handlers integer(const Form& form) {
  const Type type = form.last();
  const bool sat = form.has(Modifier::sat), carry = form.has(Modifier::cc);
  switch (form.opcode) {
    case Opcode::add:
      if (carry) return carrying<Opcode::add>(type);
      if (sat) return type == Type::s32 ? handlers<Binary<s32, AddSat>>() : Handlers{};
      return of_bits<Binary, Add>(type);
    case Opcode::sub:
      if (carry) return carrying<Opcode::sub>(type);
      if (sat) return type == Type::s32 ? handlers<Binary<s32, SubSat>>() : Handlers{};
      return of_bits<Binary, Sub>(type);
    case Opcode::addc: return carrying<Opcode::add>(type);
    case Opcode::subc: return carrying<Opcode::sub>(type);
    case Opcode::madc:
      return form.has(Modifier::hi) ? carrying<Opcode::mad, true>(type)
                                    : carrying<Opcode::mad, false>(type);
    case Opcode::mad:
      if (carry) {
        return form.has(Modifier::hi) ? carrying<Opcode::mad, true>(type)
                                      : carrying<Opcode::mad, false>(type);
      }
      return multiply(form);
    case Opcode::mul: return multiply(form);
    case Opcode::mul24:
    case Opcode::mad24: return multiply24(form);
    case Opcode::div: return of_signed<Binary, Div>(type);
    case Opcode::rem: return of_signed<Binary, Rem>(type);
    case Opcode::min: return of_signed<Binary, Min>(type);
    case Opcode::max: return of_signed<Binary, Max>(type);
    case Opcode::sad: return of_signed<Ternary, Sad>(type);
    case Opcode::neg: return of_bits<Unary, Neg>(type);
    case Opcode::abs: return of_signed<Unary, Abs>(type);
    case Opcode::dp4a: return handlers<DotProduct<true>>();
    case Opcode::dp2a: return handlers<DotProduct<false>>();
    default: return {};
  }
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
