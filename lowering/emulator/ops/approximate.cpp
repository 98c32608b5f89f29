// The approximate functions of the special-function unit: ex2, lg2, sin, cos, tanh, rsqrt. More
// precise than the hardware's (ex2 within 2 ulp, the others nearly exact), never bit-identical.
#include <cmath>

#include "emulator/ops/floats.hpp"
#include "emulator/ops/selection.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {
namespace {

// 2^f on [-1/2, 1/2], a minimax polynomial of degree six.
constexpr float exp2_terms[] = {1.5403530393381609e-4f,
                                1.3333558146428443e-3f,
                                9.618129107628477e-3f,
                                5.550410866482158e-2f,
                                2.402265069591007e-1f,
                                6.931471805599453e-1f,
                                1.0f};

TILEWRIGHT_INLINE float exp2_of(float x) {
  const float limited = x < -151.0f ? -151.0f : (x > 129.0f ? 129.0f : x);
  const float shifted = limited + 0x1.8p23f;  // rounds to an integer in the low bits
  const float whole = shifted - 0x1.8p23f, fraction = limited - whole;
  // Written out: a loop inside the loop over lanes keeps compilers from vectorising that one.
  float p = __builtin_fmaf(exp2_terms[0], fraction, exp2_terms[1]);
  p = __builtin_fmaf(p, fraction, exp2_terms[2]);
  p = __builtin_fmaf(p, fraction, exp2_terms[3]);
  p = __builtin_fmaf(p, fraction, exp2_terms[4]);
  p = __builtin_fmaf(p, fraction, exp2_terms[5]);
  p = __builtin_fmaf(p, fraction, exp2_terms[6]);
  // Two factors, so that results below the normal range are reached without a false zero.
  const s32 exponent = bits<s32>(shifted) - 0x4b400000;
  const s32 first = exponent >> 1, second = exponent - first;
  const float result =
      p * bits<float>(u32(first + 127) << 23) * bits<float>(u32(second + 127) << 23);
  return x != x ? x : result;
}

struct Exp2 {
  TILEWRIGHT_INLINE float of(float a) { return exp2_of(a); }
};

TILEWRIGHT_INLINE float tanh_of(float x) {
  const float magnitude = x < 0 ? -x : x;
  const float grown = exp2_of(magnitude * 2.885390081777927f);
  const float far = magnitude > 15.0f ? 1.0f : (grown - 1.0f) / (grown + 1.0f);
  // Near zero the quotient cancels; the series does not.
  const float square = x * x;
  const float near = magnitude * (1.0f + square * (-1.0f / 3 + square * (2.0f / 15)));
  const float result = magnitude < 0.1f ? near : far;
  return x != x ? x : (bits<u32>(x) >> 31) != 0 ? -result : result;
}
struct Tanh {
  TILEWRIGHT_INLINE float of(float a) { return tanh_of(a); }
};

struct Log2 {
  TILEWRIGHT_INLINE float of(float a) { return ::log2f(a); }
};
struct Sine {
  TILEWRIGHT_INLINE float of(float a) { return ::sinf(a); }
};
struct Cosine {
  TILEWRIGHT_INLINE float of(float a) { return ::cosf(a); }
};
struct ReciprocalRoot {
  TILEWRIGHT_INLINE float of(float a) { return 1.0f / __builtin_sqrtf(a); }
  TILEWRIGHT_INLINE double of(double a) { return 1.0 / __builtin_sqrt(a); }
};

template <class Op>
struct Flushed {
  TILEWRIGHT_INLINE float of(float a) { return flush(Op::of(flush(a))); }
};

#if defined(__AVX512F__)
template <bool ftz>
TILEWRIGHT_INLINE __m512 exp2_of(__m512 x) {
  // Limits keep the fraction of an infinity from being a NaN; a NaN is the second operand and
  // stays.
  const __m512 limited =
      _mm512_max_ps(_mm512_set1_ps(-151.0f), _mm512_min_ps(_mm512_set1_ps(129.0f), x));
  const __m512 whole = _mm512_roundscale_ps(limited, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 fraction = _mm512_sub_ps(limited, whole);
  __m512 p = _mm512_set1_ps(exp2_terms[0]);
  for (int k = 1; k < 7; ++k) p = _mm512_fmadd_ps(p, fraction, _mm512_set1_ps(exp2_terms[k]));
  if constexpr (!ftz) return _mm512_scalef_ps(p, whole);
  const __mmask16 normal = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-126.0f), _CMP_NLT_UQ);
  return _mm512_maskz_scalef_ps(normal, p, whole);
}

template <bool ftz>
struct WideExp2 {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const float* a = reg<float>(w, i->a);
    alignas(64) float t[32];
    for (unsigned part = 0; part < 32; part += 16) {
      _mm512_store_ps(masked ? t + part : reg<float>(w, i->d) + part,
                      exp2_of<ftz>(_mm512_load_ps(a + part)));
    }
    if constexpr (masked) write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};
Handlers exp2_handlers(bool ftz) {
  return ftz ? handlers<WideExp2<true>>() : handlers<WideExp2<false>>();
}
#else
Handlers exp2_handlers(bool ftz) {
  return ftz ? handlers<Unary<float, Flushed<Exp2>>>() : handlers<Unary<float, Exp2>>();
}
#endif

template <class Op>
Handlers function(bool ftz) {
  return ftz ? handlers<Unary<float, Flushed<Op>>>() : handlers<Unary<float, Op>>();
}

/// ex2 and tanh of 16-bit values: flags 1 bfloat16, 2 both halves.
template <class Op>
struct OfHalves {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32* a = reg<u32>(w, i->a);
    const bool brain = (i->flags & 1) != 0, both = (i->flags & 2) != 0;
    alignas(64) u32 t[32];
    TILEWRIGHT_LANES {
      const u32 low = to_half(Op::of(from_half(a[l], brain)), brain);
      const u32 high = to_half(Op::of(from_half(a[l] >> 16, brain)), brain);
      t[l] = low | (both ? high << 16 : 0);
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

}  // namespace

Handlers approximate(const Form& form) {
  const bool ftz = form.has(Modifier::ftz);
  if (is_half(form.last())) {
    if (form.opcode == Opcode::ex2) return handlers<OfHalves<Exp2>>();
    return form.opcode == Opcode::tanh ? handlers<OfHalves<Tanh>>() : Handlers{};
  }
  if (form.last() == Type::f64) {
    return form.opcode == Opcode::rsqrt ? handlers<Unary<double, ReciprocalRoot>>() : Handlers{};
  }
  if (form.last() != Type::f32) return {};
  switch (form.opcode) {
    case Opcode::ex2: return exp2_handlers(ftz);
    case Opcode::lg2: return function<Log2>(ftz);
    case Opcode::sin: return function<Sine>(ftz);
    case Opcode::cos: return function<Cosine>(ftz);
    case Opcode::tanh: return function<Tanh>(ftz);
    case Opcode::rsqrt: return function<ReciprocalRoot>(ftz);
    default: return {};
  }
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
