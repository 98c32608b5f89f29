// mma of bf16 with the processor's own dot product of pairs (AVX-512 BF16): half the multiply-adds
// of mma_avx512.hpp, the same numbers. VDPBF16PS is two fused multiply-adds, high halves first,
// that take subnormal numbers for zero and give no subnormal result; so the halves are exchanged,
// and it is used only where no subnormal number can come up, which the exponents tell. The rest
// falls back to f32. A subnormal can come up only if some product or element of C is not a multiple
// of the smallest normal number, 2^-126: sums and roundings of multiples are multiples.
#pragma once

#include "emulator/ops/matrix_rows.hpp"
#include "emulator/ops/mma_avx512.hpp"

#define TILEWRIGHT_PAIRS __attribute__((target("avx512bf16")))
#define TILEWRIGHT_PAIRS_INLINE __attribute__((target("avx512bf16"), always_inline)) static inline

namespace tilewright::emulator::TILEWRIGHT_VARIANT {

/// Twice the magnitude's bits minus one, so that zero is the largest.
TILEWRIGHT_INLINE __m512i magnitudes(__m512i halves) {
  return _mm512_add_epi16(_mm512_add_epi16(halves, halves), _mm512_set1_epi16(-1));
}
TILEWRIGHT_INLINE __m512i magnitudes(__m512 words) {
  const __m512i bits = _mm512_castps_si512(words);
  return _mm512_add_epi32(_mm512_add_epi32(bits, bits), _mm512_set1_epi32(-1));
}

/// Fills `pairs`: words of A with their halves exchanged, from lane t of four to all four.
template <unsigned registers>
TILEWRIGHT_INLINE void spread_pairs(Warp* w, const u32* list, KeptA& a) {
  __m512i least = _mm512_set1_epi16(-1);
  for (unsigned r = 0; r < registers; ++r) {
    for (unsigned part = 0; part < 2; ++part) {
      const __m512i words = _mm512_load_si512(reg<u32>(w, list[r]) + 16 * part);
      least = _mm512_min_epu16(least, magnitudes(words));
      const __m512i exchanged = _mm512_rol_epi32(words, 16);
      a.pairs[r][part][0] = _mm512_shuffle_epi32(exchanged, _MM_PERM_AAAA);
      a.pairs[r][part][1] = _mm512_shuffle_epi32(exchanged, _MM_PERM_BBBB);
      a.pairs[r][part][2] = _mm512_shuffle_epi32(exchanged, _MM_PERM_CCCC);
      a.pairs[r][part][3] = _mm512_shuffle_epi32(exchanged, _MM_PERM_DDDD);
    }
  }
  const u32 smallest = _mm512_reduce_min_epu32(_mm512_min_epu32(
      _mm512_srli_epi32(least, 16), _mm512_and_si512(least, _mm512_set1_epi32(0xffff))));
  // An element with exponent field x is a multiple of 2^(x - 134): fields of two factors whose sum
  // is 142 give multiples of 2^-126. Field 0 is subnormal and may not appear at all.
  const u32 field = (smallest + 1) >> 8;
  const u32 field_of_b = field >= 141 ? 1 : 142 - field;
  a.has_pairs = field != 0;
  a.has_spread = false;
  a.least_of_b = (field_of_b << 8) - 1;
}

/// Elements of C with exponent field 24 and more are multiples of 2^-126. So are all sums that
/// `multiply_pairs` gave: the decoder knows when C is one (flags 4), and `only_pairs` is false
/// when, since the first mma that nothing interrupts (flags 8), one took the other way.
constexpr u32 least_of_c = (24u << 24) - 1;

TILEWRIGHT_INLINE bool small_elements(const Accumulators& c) {
  const __m512i upper =
      _mm512_min_epu32(_mm512_min_epu32(magnitudes(c.upper_even0), magnitudes(c.upper_even1)),
                       _mm512_min_epu32(magnitudes(c.upper_odd0), magnitudes(c.upper_odd1)));
  const __m512i lower =
      _mm512_min_epu32(_mm512_min_epu32(magnitudes(c.lower_even0), magnitudes(c.lower_even1)),
                       _mm512_min_epu32(magnitudes(c.lower_odd0), magnitudes(c.lower_odd1)));
  return _mm512_cmplt_epu32_mask(_mm512_min_epu32(upper, lower),
                                 _mm512_set1_epi32(s32(least_of_c))) != 0;
}

/// Where in the two vectors of a register of B the words of `word_order` are, halves exchanged; and
/// where in the rows of a matrix whose transpose that register is to hold.
struct alignas(64) PairOrder {
  u16 of[2][32], transposed[2][32];
  constexpr PairOrder() : of(), transposed() {
    for (u32 at = 0; at < 64; ++at) {
      const u32 element = 2 * word_order.of[at / 32][at / 2 % 16] + (at % 2 == 0 ? 1 : 0);
      of[at / 32][at % 32] = u16(element);
      transposed[at / 32][at % 32] = u16(element % 8 * 8 + element / 8);
    }
  }
};
constexpr PairOrder pair_order;

/// A register of B in the order its words are broadcast: [t][column parity], four columns of one
/// parity each.
struct alignas(64) PairsB {
  u32 at[4][2][4];
};

/// Puts `b`, a register of B or, transposed, the rows it was to be loaded from, into `out`; gives
/// its least magnitudes.
template <bool transpose>
TILEWRIGHT_INLINE __m512i order_pairs(MatrixHalves b, PairsB& out) {
  const auto& index = transpose ? pair_order.transposed : pair_order.of;
  for (unsigned half = 0; half < 2; ++half) {
    _mm512_store_si512(out.at[2 * half],
                       _mm512_permutex2var_epi16(b.low, _mm512_load_si512(index[half]), b.high));
  }
  return _mm512_min_epu16(magnitudes(b.low), magnitudes(b.high));
}
TILEWRIGHT_INLINE __m512i order_pairs(const u32* b, PairsB& out) {
  return order_pairs<false>({_mm512_load_si512(b), _mm512_load_si512(b + 16)}, out);
}
TILEWRIGHT_INLINE bool any_less(__m512i least, u32 bound) {
  return _mm512_cmplt_epu16_mask(least, _mm512_set1_epi16(s16(bound))) != 0;
}

/// What a step needs of the rows of A.
struct PairsA {
  __m512bh upper0, upper1, lower0, lower1;
};

TILEWRIGHT_PAIRS_INLINE __m512bh columns(const u32* four) {
  return reinterpret_cast<__m512bh>(
      _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(four))));
}

TILEWRIGHT_PAIRS_INLINE void add_pairs(const PairsA& a, const u32 (&b)[2][4], Accumulators& c) {
  const __m512bh even = columns(b[0]), odd = columns(b[1]);
  c.upper_even0 = _mm512_dpbf16_ps(c.upper_even0, a.upper0, even);
  c.upper_odd0 = _mm512_dpbf16_ps(c.upper_odd0, a.upper0, odd);
  c.upper_even1 = _mm512_dpbf16_ps(c.upper_even1, a.upper1, even);
  c.upper_odd1 = _mm512_dpbf16_ps(c.upper_odd1, a.upper1, odd);
  c.lower_even0 = _mm512_dpbf16_ps(c.lower_even0, a.lower0, even);
  c.lower_odd0 = _mm512_dpbf16_ps(c.lower_odd0, a.lower0, odd);
  c.lower_even1 = _mm512_dpbf16_ps(c.lower_even1, a.lower1, even);
  c.lower_odd1 = _mm512_dpbf16_ps(c.lower_odd1, a.lower1, odd);
}

/// Two k of one product, or of two (`c2` not null) with the same A.
template <unsigned first, unsigned t>
TILEWRIGHT_PAIRS_INLINE void add_step(const KeptA& a, const PairsB& b, Accumulators& c,
                                      const PairsB& b2, Accumulators* c2) {
  TILEWRIGHT_STEP_BY_STEP;
  const auto spread = [&](unsigned r, unsigned part) {
    return reinterpret_cast<__m512bh>(a.pairs[first + r][part][t]);
  };
  const PairsA rows = {spread(0, 0), spread(0, 1), spread(1, 0), spread(1, 1)};
  add_pairs(rows, b.at[t], c);
  if (c2 != nullptr) add_pairs(rows, b2.at[t], *c2);
}

template <unsigned first>
TILEWRIGHT_PAIRS_INLINE void add_slice_of_pairs(const KeptA& a, const PairsB& b, Accumulators& c,
                                                const PairsB& b2, Accumulators* c2) {
  add_step<first, 0>(a, b, c, b2, c2);
  add_step<first, 1>(a, b, c, b2, c2);
  add_step<first, 2>(a, b, c, b2, c2);
  add_step<first, 3>(a, b, c, b2, c2);
}

/// The offsets of one product, and whether C is known to be a sum.
struct Product {
  const u32 *d, *b, *c;
  bool c_is_sum;
};

/// B of one product in order; gives its least magnitudes.
template <unsigned b_registers>
TILEWRIGHT_INLINE __m512i order_pairs(Warp* w, const u32* list, PairsB* b) {
  __m512i least = order_pairs(reg<u32>(w, list[0]), b[0]);
  if constexpr (b_registers == 2)
    least = _mm512_min_epu16(least, order_pairs(reg<u32>(w, list[1]), b[1]));
  return least;
}

/// D = A B + C in pairs; false, with nothing stored, where that might not be exact.
template <unsigned b_registers>
TILEWRIGHT_PAIRS_INLINE bool multiply_pairs(Warp* w, const KeptA& a, const Product& p) {
  if (!a.has_pairs) return false;
  PairsB b[2];
  if (any_less(order_pairs<b_registers>(w, p.b, b), a.least_of_b)) [[unlikely]]
    return false;
  Accumulators c;
  load_c(w, p.c, c);
  if (!p.c_is_sum && small_elements(c)) return false;
  add_slice_of_pairs<0>(a, b[0], c, b[0], nullptr);
  if constexpr (b_registers == 2) add_slice_of_pairs<2>(a, b[1], c, b[1], nullptr);
  store_d(w, p.d, c);
  return true;
}

/// Two products with the same A, whose vectors are loaded once, and B of both, with its least
/// magnitudes. The second reads nothing that the first writes.
template <unsigned b_registers>
TILEWRIGHT_PAIRS_INLINE bool multiply_pairs(Warp* w, const KeptA& a, const Product& p,
                                            const Product& q, const PairsB* b, __m512i least) {
  if (!a.has_pairs) return false;
  if (any_less(least, a.least_of_b)) [[unlikely]]
    return false;
  Accumulators c, c2;
  load_c(w, p.c, c);
  load_c(w, q.c, c2);
  if (!p.c_is_sum && small_elements(c)) return false;
  if (!q.c_is_sum && small_elements(c2)) return false;
  const PairsB* b2 = b + b_registers;
  add_slice_of_pairs<0>(a, b[0], c, b2[0], &c2);
  if constexpr (b_registers == 2) add_slice_of_pairs<2>(a, b[1], c, b2[1], &c2);
  store_d(w, p.d, c);
  store_d(w, q.d, c2);
  return true;
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
