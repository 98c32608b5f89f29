// setp, selp and testp. `set` and `slct` are made of these by the decoder.
// setp: d and e are the two predicate destinations (e may be the sink), c the predicate it is
// combined with. flags 1, 2, 3: and, or, xor with c; 8: c inverted.
#include "emulator/ops/floats.hpp"
#include "emulator/ops/selection.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {
namespace {

#define RELATION(name, result)            \
  struct name {                           \
    template <class T>                    \
    TILEWRIGHT_INLINE bool of(T a, T b) { \
      return (result);                    \
    }                                     \
  }
RELATION(Equal, a == b);
RELATION(Different, a != b);
RELATION(Less, a < b);
RELATION(AtMost, a <= b);
RELATION(OrderedDifferent, a<b || a> b);
RELATION(UnorderedEqual, !(a < b || a > b));
RELATION(UnorderedLess, !(a >= b));
RELATION(UnorderedAtMost, !(a > b));
RELATION(Numbers, a == a && b == b);
RELATION(NotNumbers, a != a || b != b);

template <bool masked>
TILEWRIGHT_INLINE void set_pair(const Instruction* i, Warp* w, u32 value, u32 other) {
  const u32 combine = i->flags & 7;
  if (combine != 0) {
    u32 c = w->predicates[i->c];
    if ((i->flags & 8) != 0) c = ~c;
    value = combine == 1 ? value & c : combine == 2 ? value | c : value ^ c;
    other = combine == 1 ? other & c : combine == 2 ? other | c : other ^ c;
  }
  const u32 lanes = active<masked>(i, w);
  set_predicate(w, i->d, value, lanes);
  if (i->e != sink_predicate) set_predicate(w, i->e, other, lanes);
}

template <class T, class Relation>
struct SetPredicate {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    using Slot = typename View<T>::Slot;
    const Slot *a = reg<Slot>(w, i->a), *b = reg<Slot>(w, i->b);
    alignas(64) u32 t[32];
    TILEWRIGHT_LANES t[l] = Relation::of(View<T>::get(a[l]), View<T>::get(b[l])) ? ~0u : 0u;
    const u32 value = mask_of(t);
    set_pair<masked>(i, w, value, ~value);
    return next<masked>(i, w);
  }

  static const Instruction* run_constant_b(const Instruction* i, Warp* w) {
    using Slot = typename View<T>::Slot;
    const Slot* a = reg<Slot>(w, i->a);
    const T b = constant<T>(i);
    alignas(64) u32 t[32];
    TILEWRIGHT_LANES t[l] = Relation::of(View<T>::get(a[l]), b) ? ~0u : 0u;
    const u32 value = mask_of(t);
    set_pair<false>(i, w, value, ~value);
    return next<false>(i, w);
  }
};

template <class Relation>
struct Flushed {
  TILEWRIGHT_INLINE bool of(float a, float b) { return Relation::of(flush(a), flush(b)); }
};

/// 16-bit values; of a pair the low half decides d and the high half e. n: 1 bfloat16, 2 both.
template <class Relation>
struct SetHalfPredicate {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32 *a = reg<u32>(w, i->a), *b = reg<u32>(w, i->b);
    const bool brain = (i->n & 1) != 0;
    alignas(64) u32 t[32], high[32];
    TILEWRIGHT_LANES {
      t[l] = Relation::of(from_half(a[l], brain), from_half(b[l], brain)) ? ~0u : 0u;
      high[l] = Relation::of(from_half(a[l] >> 16, brain), from_half(b[l] >> 16, brain)) ? ~0u : 0u;
    }
    const u32 value = mask_of(t);
    set_pair<masked>(i, w, value, (i->n & 2) != 0 ? mask_of(high) : ~value);
    return next<masked>(i, w);
  }
};

/// d = predicate c ? a : b; flags 1: c inverted.
template <class Slot>
struct Select {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const Slot *a = reg<Slot>(w, i->a), *b = reg<Slot>(w, i->b);
    u32 chosen = w->predicates[i->c];
    if ((i->flags & 1) != 0) chosen = ~chosen;
    alignas(64) Slot t[32];
    __builtin_memcpy(t, b, sizeof t);
    blend(t, a, chosen);
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }

  static const Instruction* run_constant_b(const Instruction* i, Warp* w) {
    const Slot *a = reg<Slot>(w, i->a), b = constant<Slot>(i);
    u32 chosen = w->predicates[i->c];
    if ((i->flags & 1) != 0) chosen = ~chosen;
    alignas(64) Slot t[32];
    TILEWRIGHT_LANES t[l] = b;
    blend(t, a, chosen);
    write<false>(i, w, i->d, t);
    return next<false>(i, w);
  }
};

/// testp: n 0 finite, 1 infinite, 2 number, 3 notanumber, 4 normal, 5 subnormal.
template <class T, unsigned fraction_bits>
struct Classify {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const T* a = reg<T>(w, i->a);
    u32 value = 0;
    for (unsigned l = 0; l < 32; ++l) {
      const T magnitude = T(a[l] << 1) >> 1, fraction = magnitude & ((T{1} << fraction_bits) - 1);
      const T exponent = magnitude >> fraction_bits;
      const T top = (T{1} << (8 * sizeof(T) - 1 - fraction_bits)) - 1;
      bool holds = false;
      switch (i->n) {
        case 0: holds = exponent != top; break;
        case 1: holds = exponent == top && fraction == 0; break;
        case 2: holds = exponent != top || fraction == 0; break;
        case 3: holds = exponent == top && fraction != 0; break;
        case 4: holds = exponent != top && exponent != 0; break;
        default: holds = exponent == 0 && fraction != 0; break;
      }
      value |= u32{holds} << l;
    }
    set_predicate(w, i->d, value, active<masked>(i, w));
    return next<masked>(i, w);
  }
};

template <class Relation>
Handlers for_real(const Form& form) {
  switch (form.last()) {
    case Type::f32:
      return form.has(Modifier::ftz) ? handlers<SetPredicate<float, Flushed<Relation>>>()
                                     : handlers<SetPredicate<float, Relation>>();
    case Type::f64: return handlers<SetPredicate<double, Relation>>();
    default: return is_half(form.last()) ? handlers<SetHalfPredicate<Relation>>() : Handlers{};
  }
}

// "greater" forms arrive with their operands exchanged, see decode_compare.cpp.
Handlers set_predicate_for(const Form& form) {
  const auto has = [&](Modifier modifier) { return form.has(modifier); };
  if (!is_real(form.last())) {
    if (has(Modifier::eq)) return of_bits<SetPredicate, Equal>(form.last());
    if (has(Modifier::ne)) return of_bits<SetPredicate, Different>(form.last());
    const bool strict =
        has(Modifier::lt) || has(Modifier::gt) || has(Modifier::lo) || has(Modifier::hi);
    return strict ? of_signed<SetPredicate, Less>(form.last())
                  : of_signed<SetPredicate, AtMost>(form.last());
  }
  if (has(Modifier::eq)) return for_real<Equal>(form);
  if (has(Modifier::ne)) return for_real<OrderedDifferent>(form);
  if (has(Modifier::lt) || has(Modifier::gt)) return for_real<Less>(form);
  if (has(Modifier::le) || has(Modifier::ge)) return for_real<AtMost>(form);
  if (has(Modifier::equ)) return for_real<UnorderedEqual>(form);
  if (has(Modifier::neu)) return for_real<Different>(form);
  if (has(Modifier::ltu) || has(Modifier::gtu)) return for_real<UnorderedLess>(form);
  if (has(Modifier::leu) || has(Modifier::geu)) return for_real<UnorderedAtMost>(form);
  if (has(Modifier::num)) return for_real<Numbers>(form);
  if (has(Modifier::is_nan)) return for_real<NotNumbers>(form);
  return {};
}

}  // namespace

Handlers compare(const Form& form) {
  const bool wide = bytes_of(form.last()) == 8;
  switch (form.opcode) {
    case Opcode::setp: return set_predicate_for(form);
    case Opcode::selp: return wide ? handlers<Select<u64>>() : handlers<Select<u32>>();
    case Opcode::testp: return wide ? handlers<Classify<u64, 52>>() : handlers<Classify<u32, 23>>();
    default: return {};
  }
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
