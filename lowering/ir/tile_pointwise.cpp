// What each pointwise operation does to one element, as the contract on top of ir.hpp says.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/errors.hpp"
#include "ir/tile_data.hpp"
#include "tilewright/error.hpp"

namespace tilewright::ir {

namespace {

std::int64_t wrap(DType type, std::int64_t value) {
  switch (type) {
    case DType::i32: return static_cast<std::int32_t>(static_cast<std::uint64_t>(value));
    case DType::u32: return static_cast<std::uint32_t>(value);
    case DType::i8: return static_cast<std::int8_t>(static_cast<std::uint64_t>(value));
    case DType::u8: return static_cast<std::uint8_t>(value);
    case DType::b1: return value & 1;
    default: return value;
  }
}

float float_of(Op op, float x, float y) {
  switch (op) {
    case Op::add: return x + y;
    case Op::sub: return x - y;
    case Op::mul: return x * y;
    case Op::div: return x / y;
    case Op::neg: return -x;
    case Op::minimum: return std::fmin(x, y);
    case Op::maximum: return std::fmax(x, y);
    case Op::exp2: return std::exp2(x);
    case Op::exp: return std::exp(x);
    case Op::log2: return std::log2(x);
    case Op::log: return std::log(x);
    case Op::tanh: return std::tanh(x);
    case Op::rsqrt: return 1.f / std::sqrt(x);
    case Op::sqrt: return std::sqrt(x);
    case Op::abs: return std::fabs(x);
    case Op::exp2_safe:
      return y == -std::numeric_limits<float>::infinity() ? 0.f : std::exp2(x - y);
    default: break;
  }
  throw Error(errors::ir["kernel-inconsistent"],
              std::string("no meaning on floating tiles: ") + std::string(info(op).name));
}

/// Sums in 64 bits without overflow of the host's own arithmetic; the caller wraps.
std::int64_t integer_of(Op op, DType type, std::int64_t x, std::int64_t y) {
  const auto ux = static_cast<std::uint64_t>(x);
  const auto uy = static_cast<std::uint64_t>(y);
  const int bits = 8 * size_of(type);
  switch (op) {
    case Op::add: return static_cast<std::int64_t>(ux + uy);
    case Op::sub: return static_cast<std::int64_t>(ux - uy);
    case Op::mul: return static_cast<std::int64_t>(ux * uy);
    case Op::neg: return static_cast<std::int64_t>(0 - ux);
    case Op::abs: return x < 0 ? static_cast<std::int64_t>(0 - ux) : x;
    case Op::div:
    case Op::mod: {  // by zero: 0, for elements that nobody sees
      if (y == 0) return 0;
      if (y == -1) return op == Op::mod ? 0 : static_cast<std::int64_t>(0 - ux);
      const std::int64_t quotient = x / y - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0);
      return op == Op::div ? quotient : x - quotient * y;
    }
    case Op::minimum: return std::min(x, y);
    case Op::maximum: return std::max(x, y);
    case Op::shl: return y < 0 || y >= bits ? 0 : static_cast<std::int64_t>(ux << y);
    case Op::shr: return x >> (y < 0 || y >= bits ? std::min(bits, 63) : static_cast<int>(y));
    case Op::logical_and:
    case Op::bit_and: return x & y;
    case Op::logical_or:
    case Op::bit_or: return x | y;
    case Op::bit_xor: return x ^ y;
    case Op::bit_not: return ~x;
    case Op::logical_not: return x ^ 1;
    default: break;
  }
  throw Error(errors::ir["kernel-inconsistent"],
              std::string("no meaning on integer tiles: ") + std::string(info(op).name));
}

/// Ten rounds of Philox4x32 (Salmon et al., SC 2011, section 3.2): word offset % 4 of the counter
/// (offset / 4, 0, stream, 0) and the key (seed, seed_high).
std::int64_t random_bits(std::int64_t seed, std::int64_t seed_high, std::int64_t offset,
                         std::int64_t stream) {
  const auto word = [](std::int64_t x) { return static_cast<std::uint32_t>(x); };
  std::uint32_t key[2] = {word(seed), word(seed_high)};
  std::uint32_t c[4] = {word(offset) / 4, 0, word(stream), 0};
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * c[0],
                        b = std::uint64_t{0xCD9E8D57u} * c[2];
    const std::uint32_t next[4] = {
        static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ key[0], static_cast<std::uint32_t>(b),
        static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ key[1], static_cast<std::uint32_t>(a)};
    std::copy(next, next + 4, c);
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return static_cast<std::int32_t>(c[word(offset) % 4]);
}

template <typename T>
bool compare(Op op, T x, T y) {
  switch (op) {
    case Op::lt: return x < y;
    case Op::le: return x <= y;
    case Op::gt: return x > y;
    case Op::ge: return x >= y;
    case Op::eq: return x == y;
    default: return x != y;
  }
}

/// Truncates, and saturates as the device's conversion does; NaN gives 0.
std::int64_t truncated(DType type, float value) {
  if (std::isnan(value)) return 0;
  double low = -0x1p63;
  double high = 0x1p63;
  if (type == DType::i32) low = -0x1p31, high = 0x1p31 - 1;
  if (type == DType::u32) low = 0, high = 0x1p32 - 1;
  if (type == DType::i8) low = -128, high = 127;
  if (type == DType::u8) low = 0, high = 255;
  const double whole = std::clamp(std::trunc(static_cast<double>(value)), low, high);
  if (whole >= 0x1p63) return std::numeric_limits<std::int64_t>::max();  // i64
  return static_cast<std::int64_t>(whole);
}

void convert(const TileData& x, TileData& result) {
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (result.floating()) {
      const float value = x.floating() ? x.floats[i] : static_cast<float>(x.integers[i]);
      result.floats[i] = round_to(result.dtype, value);
    } else if (result.dtype == DType::b1) {
      result.integers[i] = x.floating() ? x.floats[i] != 0 : x.integers[i] != 0;
    } else {
      result.integers[i] =
          x.floating() ? truncated(result.dtype, x.floats[i]) : wrap(result.dtype, x.integers[i]);
    }
  }
}

}  // namespace

TileData apply(Op op, DType type, const std::vector<const TileData*>& operands) {
  const TileData& x = *operands[0];
  TileData result(type, x.axes, x.shape);
  const std::size_t count = result.size();
  if (op == Op::cast) {
    convert(x, result);
    return result;
  }
  if (op == Op::select) {
    const TileData& yes = *operands[1];
    const TileData& no = *operands[2];
    for (std::size_t i = 0; i < count; ++i) {
      const TileData& from = x.integers[i] ? yes : no;
      if (result.floating())
        result.floats[i] = from.floats[i];
      else
        result.integers[i] = from.integers[i];
    }
    return result;
  }
  if (op == Op::random_bits) {
    for (std::size_t i = 0; i < count; ++i)
      result.integers[i] = random_bits(x.integers[i], operands[1]->integers[i],
                                       operands[2]->integers[i], operands[3]->integers[i]);
    return result;
  }
  const TileData& y = *operands.back();
  if (is_comparison(op)) {
    for (std::size_t i = 0; i < count; ++i)
      result.integers[i] = x.floating() ? compare(op, x.floats[i], y.floats[i])
                                        : compare(op, x.integers[i], y.integers[i]);
  } else if (result.floating()) {
    for (std::size_t i = 0; i < count; ++i)
      result.floats[i] = float_of(op, x.floats[i], y.floats[i]);
  } else {
    for (std::size_t i = 0; i < count; ++i)
      result.integers[i] = wrap(type, integer_of(op, type, x.integers[i], y.integers[i]));
  }
  return result;
}

}  // namespace tilewright::ir
