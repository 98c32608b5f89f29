// See arithmetic.hpp.
#include "scores/arithmetic.hpp"

#include <algorithm>
#include <cmath>

namespace tilewright::library {
namespace {

std::int32_t bits(double number) { return static_cast<std::int32_t>(number); }

}  // namespace

double pointwise(Op op, DType dtype, const std::array<double, 3>& x) {
  const double a = x[0], b = x[1];
  const bool integer = dtype == i32;
  switch (op) {
    case Op::add: return a + b;
    case Op::sub: return a - b;
    case Op::mul: return a * b;
    case Op::div: return !integer ? a / b : b == 0 ? 0 : std::floor(a / b);
    case Op::mod: return b == 0 ? 0 : a - std::floor(a / b) * b;
    case Op::neg: return -a;
    case Op::bit_and: return bits(a) & bits(b);
    case Op::bit_or: return bits(a) | bits(b);
    case Op::shl:
      return static_cast<std::int32_t>(static_cast<std::uint32_t>(bits(a)) << (bits(b) & 31));
    case Op::shr: return bits(a) >> (bits(b) & 31);
    case Op::minimum: return std::fmin(a, b);
    case Op::maximum: return std::fmax(a, b);
    case Op::abs: return std::fabs(a);
    case Op::exp: return std::exp(a);
    case Op::exp2: return std::exp2(a);
    case Op::log: return std::log(a);
    case Op::log2: return std::log2(a);
    case Op::tanh: return std::tanh(a);
    case Op::cast: return a;
    case Op::select: return a != 0 ? b : x[2];
    case Op::lt: return a < b;
    case Op::le: return a <= b;
    case Op::gt: return a > b;
    case Op::ge: return a >= b;
    case Op::eq: return a == b;
    case Op::ne: return a != b;
    case Op::logical_and: return a != 0 && b != 0;
    case Op::logical_or: return a != 0 || b != 0;
    case Op::logical_not: return a == 0;
    default: return std::nan("");  // no tree has another
  }
}

}  // namespace tilewright::library
