// f32 and f64 arithmetic. Rounding modes other than to-nearest are set in the host's control word
// by the instructions around (see steps.cpp), so the plain operations serve them too.
#include <cmath>

#include "emulator/ops/floats.hpp"
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
OPERATION(Div, a / b, T a, T b);
OPERATION(Reciprocal, T(1) / a, T a);

TILEWRIGHT_INLINE float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
TILEWRIGHT_INLINE double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }
OPERATION(Fma, fused(a, b, c), T a, T b, T c);

TILEWRIGHT_INLINE float root(float a) { return __builtin_sqrtf(a); }
TILEWRIGHT_INLINE double root(double a) { return __builtin_sqrt(a); }
OPERATION(Root, root(a), T a);

template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 4, u32, u64>;
template <class T>
constexpr BitsOf<T> sign_bit = BitsOf<T>{1} << (8 * sizeof(T) - 1);
OPERATION(Neg, bits<T>(BitsOf<T>(bits<BitsOf<T>>(a) ^ sign_bit<T>)), T a);
OPERATION(Abs, bits<T>(BitsOf<T>(bits<BitsOf<T>>(a) & ~sign_bit<T>)), T a);
OPERATION(CopySign,
          bits<T>(BitsOf<T>((bits<BitsOf<T>>(b) & ~sign_bit<T>) |
                            (bits<BitsOf<T>>(a) & sign_bit<T>))),
          T a, T b);

template <bool maximum, bool keep_nan>
struct Extreme {
  template <class T>
  TILEWRIGHT_INLINE T of(T a, T b) {
    return extreme<T, maximum, keep_nan>(a, b);
  }
};

/// .ftz: subnormal operands and results count as zero.
template <class Op>
struct Flushed {
  TILEWRIGHT_INLINE float of(float a) { return flush(Op::of(flush(a))); }
  TILEWRIGHT_INLINE float of(float a, float b) { return flush(Op::of(flush(a), flush(b))); }
  TILEWRIGHT_INLINE float of(float a, float b, float c) {
    return flush(Op::of(flush(a), flush(b), flush(c)));
  }
};

template <template <class, class> class Shape, class Op>
Handlers real_of(const Form& form) {
  if (form.last() == Type::f64) return handlers<Shape<double, Op>>();
  if (form.last() != Type::f32) return {};
  if (form.has(Modifier::ftz)) return handlers<Shape<float, Flushed<Op>>>();
  return handlers<Shape<float, Op>>();
}

}  // namespace

Handlers real(const Form& form) {
  const bool keep_nan = form.has(Modifier::nan);
  switch (form.opcode) {
    case Opcode::add: return real_of<Binary, Add>(form);
    case Opcode::sub: return real_of<Binary, Sub>(form);
    case Opcode::mul: return real_of<Binary, Mul>(form);
    case Opcode::div: return real_of<Binary, Div>(form);
    case Opcode::fma:
    case Opcode::mad: return real_of<Ternary, Fma>(form);
    case Opcode::min:
      return keep_nan ? real_of<Binary, Extreme<false, true>>(form)
                      : real_of<Binary, Extreme<false, false>>(form);
    case Opcode::max:
      return keep_nan ? real_of<Binary, Extreme<true, true>>(form)
                      : real_of<Binary, Extreme<true, false>>(form);
    case Opcode::neg: return real_of<Unary, Neg>(form);
    case Opcode::abs: return real_of<Unary, Abs>(form);
    case Opcode::copysign: return real_of<Binary, CopySign>(form);
    case Opcode::rcp: return real_of<Unary, Reciprocal>(form);
    case Opcode::sqrt: return real_of<Unary, Root>(form);
    default: return {};
  }
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
