// Arithmetic of f16, bf16 and their pairs. Operands become f32, the operation is done there (fma in
// f64 with an odd rounding), and the result is rounded once: f32 has more than twice the precision,
// so nothing is rounded twice. Instruction flags: 1 bfloat16, 2 both halves, 4 flush subnormals.
#include "emulator/ops/floats.hpp"
#include "emulator/ops/selection.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {
namespace {

struct Add {
  TILEWRIGHT_INLINE float of(float a, float b, float) { return a + b; }
};
struct Sub {
  TILEWRIGHT_INLINE float of(float a, float b, float) { return a - b; }
};
struct Mul {
  TILEWRIGHT_INLINE float of(float a, float b, float) { return a * b; }
};
struct Fma {
  TILEWRIGHT_INLINE float of(float a, float b, float c) { return fused_half(a, b, c); }
};
template <bool maximum, bool keep_nan>
struct Extreme {
  TILEWRIGHT_INLINE float of(float a, float b, float) {
    return extreme<float, maximum, keep_nan>(a, b);
  }
};

TILEWRIGHT_INLINE float flush_half(float value) {
  return (value < 0 ? -value : value) < 0x1p-14f ? bits<float>(bits<u32>(value) & 0x80000000u)
                                                 : value;
}

template <class Op, bool brain>
TILEWRIGHT_INLINE void one_half(const u32* a, const u32* b, const u32* c, u32* t, u32 shift,
                                bool ftz) {
  TILEWRIGHT_LANES {
    float x = from_half(a[l] >> shift, brain), y = from_half(b[l] >> shift, brain),
          z = from_half(c[l] >> shift, brain);
    if (ftz) x = flush_half(x), y = flush_half(y), z = flush_half(z);
    float result = Op::of(x, y, z);
    if (ftz) result = flush_half(result);
    t[l] |= to_half(result, brain) << shift;
  }
}

template <class Op>
struct Halves {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32 *a = reg<u32>(w, i->a), *b = reg<u32>(w, i->b), *c = reg<u32>(w, i->c);
    const bool ftz = (i->flags & 4) != 0;
    alignas(64) u32 t[32] = {};
    for (u32 shift = 0; shift <= ((i->flags & 2) != 0 ? 16u : 0u); shift += 16) {
      if ((i->flags & 1) != 0) {
        one_half<Op, true>(a, b, c, t, shift, ftz);
      } else {
        one_half<Op, false>(a, b, c, t, shift, ftz);
      }
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

/// neg and abs only touch the sign: d = (a & c) ^ immediate, the constants chosen by the form.
template <bool negate>
struct Signs {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32* a = reg<u32>(w, i->a);
    const u32 sign = (i->flags & 2) != 0 ? 0x80008000u : 0x8000u;
    alignas(64) u32 t[32];
    TILEWRIGHT_LANES t[l] = negate ? a[l] ^ sign : a[l] & ~sign;
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

}  // namespace

Handlers half(const Form& form) {
  const bool keep_nan = form.has(Modifier::nan);
  switch (form.opcode) {
    case Opcode::add: return handlers<Halves<Add>>();
    case Opcode::sub: return handlers<Halves<Sub>>();
    case Opcode::mul: return handlers<Halves<Mul>>();
    case Opcode::fma: return handlers<Halves<Fma>>();
    case Opcode::min:
      return keep_nan ? handlers<Halves<Extreme<false, true>>>()
                      : handlers<Halves<Extreme<false, false>>>();
    case Opcode::max:
      return keep_nan ? handlers<Halves<Extreme<true, true>>>()
                      : handlers<Halves<Extreme<true, false>>>();
    case Opcode::neg: return handlers<Signs<true>>();
    case Opcode::abs: return handlers<Signs<false>>();
    default: return {};
  }
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
