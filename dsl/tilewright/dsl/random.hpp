// Random numbers by logical index: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011) of a key and a counter, with no state between elements. A
// kernel that addresses them by index(M), index(N) gets the same bits on every schedule and device.
// An element of a large problem is addressed by two numbers: offset along its row, stream for the
// row, as in random(seed, index(N), (b * extent(H) + h) * extent(M) + index(M)).
#pragma once

#include "tilewright/dsl/pointwise.hpp"

namespace tilewright {

/// A key of 64 bits from two i32 scalars, for random and random_bits.
template <typename Low, typename High>
struct Seed64 {
  Low low;
  High high;
};

namespace detail {

template <typename A>
inline constexpr bool is_i32_scalar = A::dtype == i32&& A::rank == 0;
template <typename A, typename B>
inline constexpr bool are_i32 = A::dtype == i32&& B::dtype == i32;

template <typename X>
using OperandOf = std::remove_cvref_t<decltype(as_operand(std::declval<const X&>()))>;

template <typename Low, typename High, typename O, typename S>
constexpr auto random_of(const Low& low, const High& high, const O& offset, const S& stream) {
  if constexpr (is_refused<Low> || is_refused<High> || is_refused<O> || is_refused<S>) {
    return Refused{};
  } else if constexpr (!is_i32_scalar<ShapeOf<Low>> || !is_i32_scalar<ShapeOf<High>>) {
    static_assert(is_i32_scalar<ShapeOf<Low>> && is_i32_scalar<ShapeOf<High>>,
                  "random(seed, offset): the seed must be an i32 without dimensions");
    return Refused{};
  } else if constexpr (!are_i32<ShapeOf<O>, ShapeOf<S>>) {
    static_assert(are_i32<ShapeOf<O>, ShapeOf<S>>,
                  "random(seed, offset): the offset (and the stream) must be i32");
    return Refused{};
  } else {
    const auto a = adapted<i32>(low);
    const auto b = adapted<i32>(high);
    const auto c = adapted<i32>(offset);
    const auto d = adapted<i32>(stream);
    return Expression<Joined<i32, ShapeOf<O>, ShapeOf<S>>, Op::random_bits,
                      std::remove_const_t<decltype(a)>, std::remove_const_t<decltype(b)>,
                      std::remove_const_t<decltype(c)>, std::remove_const_t<decltype(d)>>(
        Details{}, a, b, c, d);
  }
}

template <typename Bits>
constexpr auto unit_of(const Bits& bits) {
  if constexpr (is_refused<Bits>) {
    return Refused{};
  } else {
    return cast<f32>((bits >> 8) & 0xffffff) * 0x1p-24f;
  }
}

}  // namespace detail

template <Operand Low, Operand High>
constexpr auto seed64(const Low& low, const High& high) {
  return Seed64<detail::OperandOf<Low>, detail::OperandOf<High>>{detail::as_operand(low),
                                                                 detail::as_operand(high)};
}

/// i32 of the dimensions of `offset` and `stream`: 32 random bits, word offset % 4 of Philox4x32-10
/// of the counter (offset / 4, 0, stream, 0) and the key (seed, 0). Both are taken as 32 bits
/// without a sign, so there are 2^32 offsets in each of 2^32 streams.
/// Refuses: a seed that has dimensions or is no i32, an offset or a stream that is no i32.
template <Operand Seed, Operand Offset, Operand Stream = int>
constexpr auto random_bits(const Seed& seed, const Offset& offset, const Stream& stream = 0) {
  return detail::random_of(detail::as_operand(seed), detail::as_operand(0),
                           detail::as_operand(offset), detail::as_operand(stream));
}
template <typename Low, typename High, Operand Offset, Operand Stream = int>
constexpr auto random_bits(const Seed64<Low, High>& seed, const Offset& offset,
                           const Stream& stream = 0) {
  return detail::random_of(seed.low, seed.high, detail::as_operand(offset),
                           detail::as_operand(stream));
}

/// f32, uniform in [0, 1): the upper 24 of the bits that random_bits gives, times 2^-24. Dropout of
/// a score s keeps it where random(seed, offset) >= p.
template <Operand Seed, Operand Offset, Operand Stream = int>
constexpr auto random(const Seed& seed, const Offset& offset, const Stream& stream = 0) {
  return detail::unit_of(random_bits(seed, offset, stream));
}
template <typename Low, typename High, Operand Offset, Operand Stream = int>
constexpr auto random(const Seed64<Low, High>& seed, const Offset& offset,
                      const Stream& stream = 0) {
  return detail::unit_of(random_bits(seed, offset, stream));
}

}  // namespace tilewright
