// mma of 16-bit types in fragment order, as mma_avx512.hpp has it, for eight lanes a vector.
// Sixteen registers hold the accumulators of half the rows: rows g first, then rows g + 8. B's
// words are transposed four by four, which is its order of k; two vectors' halves hold even and odd
// columns.
//
// Accumulators are named members and loads stay in their step for the reason given there.
#pragma once

#include <immintrin.h>

#include "emulator/ops/fragment.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {

#define TILEWRIGHT_STEP_BY_STEP __asm__ volatile("" ::: "memory")

/// Kept from one mma to the next: a register's even and odd elements, for eight lanes a part,
/// spread from lane t of four.
struct alignas(64) KeptA {
  __m256 at[4][2][4][4];  ///< [register][element parity][t][part]
};

/// C or D for rows g or g + 8: even and odd columns, eight lanes each.
struct HalfOfRows {
  __m256 even0, even1, even2, even3, odd0, odd1, odd2, odd3;
};

TILEWRIGHT_INLINE void load_c(const float* even, const float* odd, HalfOfRows& c) {
  c.even0 = _mm256_load_ps(even);
  c.even1 = _mm256_load_ps(even + 8);
  c.even2 = _mm256_load_ps(even + 16);
  c.even3 = _mm256_load_ps(even + 24);
  c.odd0 = _mm256_load_ps(odd);
  c.odd1 = _mm256_load_ps(odd + 8);
  c.odd2 = _mm256_load_ps(odd + 16);
  c.odd3 = _mm256_load_ps(odd + 24);
}

TILEWRIGHT_INLINE void store_d(const HalfOfRows& d, float* even, float* odd) {
  _mm256_store_ps(even, d.even0);
  _mm256_store_ps(even + 8, d.even1);
  _mm256_store_ps(even + 16, d.even2);
  _mm256_store_ps(even + 24, d.even3);
  _mm256_store_ps(odd, d.odd0);
  _mm256_store_ps(odd + 8, d.odd1);
  _mm256_store_ps(odd + 16, d.odd2);
  _mm256_store_ps(odd + 24, d.odd3);
}

/// Even and odd 16-bit elements of eight lanes as f32.
template <Element element>
TILEWRIGHT_INLINE void split(__m256i words, __m256& even, __m256& odd) {
  if constexpr (element == Element::brain) {
    even = _mm256_castsi256_ps(_mm256_slli_epi32(words, 16));
    odd = _mm256_castsi256_ps(_mm256_and_si256(words, _mm256_set1_epi32(int(0xffff0000u))));
  } else {
    const __m256i low = _mm256_and_si256(words, _mm256_set1_epi32(0xffff));
    const __m256i high = _mm256_srli_epi32(words, 16);
    const auto widened = [](__m256i v) {
      return _mm256_cvtph_ps(
          _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
    };
    even = widened(low);
    odd = widened(high);
  }
}

template <Element element>
TILEWRIGHT_INLINE void spread(const u32* source, KeptA& a, unsigned r) {
  for (unsigned part = 0; part < 4; ++part) {
    __m256 parity[2];
    split<element>(_mm256_load_si256(reinterpret_cast<const __m256i*>(source + 8 * part)),
                   parity[0], parity[1]);
    for (unsigned odd = 0; odd < 2; ++odd) {
      a.at[r][odd][0][part] = _mm256_permute_ps(parity[odd], 0x00);
      a.at[r][odd][1][part] = _mm256_permute_ps(parity[odd], 0x55);
      a.at[r][odd][2][part] = _mm256_permute_ps(parity[odd], 0xaa);
      a.at[r][odd][3][part] = _mm256_permute_ps(parity[odd], 0xff);
    }
  }
}

/// A register of B: [element parity][t][column parity], four columns of one parity each.
struct alignas(64) OrderedB {
  float at[2][4][2][4];
};

template <Element element>
TILEWRIGHT_INLINE void order(const u32* b, OrderedB& out) {
  const auto part = [&](unsigned k) {
    return _mm256_load_ps(reinterpret_cast<const float*>(b) + 8 * k);
  };
  const __m256 v0 = part(0), v1 = part(1), v2 = part(2), v3 = part(3);
  const __m256d t0 = _mm256_castps_pd(_mm256_unpacklo_ps(v0, v1));
  const __m256d t1 = _mm256_castps_pd(_mm256_unpackhi_ps(v0, v1));
  const __m256d t2 = _mm256_castps_pd(_mm256_unpacklo_ps(v2, v3));
  const __m256d t3 = _mm256_castps_pd(_mm256_unpackhi_ps(v2, v3));
  const __m256d ordered[4] = {_mm256_unpacklo_pd(t0, t2), _mm256_unpackhi_pd(t0, t2),
                              _mm256_unpacklo_pd(t1, t3), _mm256_unpackhi_pd(t1, t3)};
  for (unsigned t = 0; t < 4; ++t) {
    __m256 even, odd;
    split<element>(_mm256_castpd_si256(ordered[t]), even, odd);
    _mm256_store_ps(out.at[0][t][0], even);
    _mm256_store_ps(out.at[1][t][0], odd);
  }
}

/// Adds one k of A's register r.
template <unsigned r, unsigned t, unsigned parity>
TILEWRIGHT_INLINE void add_step(const KeptA& a, const OrderedB& b, HalfOfRows& c) {
  TILEWRIGHT_STEP_BY_STEP;
  const __m256 even = _mm256_broadcast_ps(reinterpret_cast<const __m128*>(b.at[parity][t][0]));
  const __m256 odd = _mm256_broadcast_ps(reinterpret_cast<const __m128*>(b.at[parity][t][1]));
  const __m256* left = a.at[r][parity][t];
  c.even0 = _mm256_fmadd_ps(left[0], even, c.even0);
  c.odd0 = _mm256_fmadd_ps(left[0], odd, c.odd0);
  c.even1 = _mm256_fmadd_ps(left[1], even, c.even1);
  c.odd1 = _mm256_fmadd_ps(left[1], odd, c.odd1);
  c.even2 = _mm256_fmadd_ps(left[2], even, c.even2);
  c.odd2 = _mm256_fmadd_ps(left[2], odd, c.odd2);
  c.even3 = _mm256_fmadd_ps(left[3], even, c.even3);
  c.odd3 = _mm256_fmadd_ps(left[3], odd, c.odd3);
}

/// Adds eight k: one register of B.
template <unsigned r>
TILEWRIGHT_INLINE void add_slice(const KeptA& a, const OrderedB& b, HalfOfRows& c) {
  add_step<r, 0, 0>(a, b, c);
  add_step<r, 0, 1>(a, b, c);
  add_step<r, 1, 0>(a, b, c);
  add_step<r, 1, 1>(a, b, c);
  add_step<r, 2, 0>(a, b, c);
  add_step<r, 2, 1>(a, b, c);
  add_step<r, 3, 0>(a, b, c);
  add_step<r, 3, 1>(a, b, c);
}

/// Rows g (half 0) or g + 8 (half 1) of D = A B + C.
template <unsigned half, unsigned slices>
TILEWRIGHT_INLINE void multiply_rows(Warp* w, const u32* c_list, const KeptA& a, const OrderedB* b,
                                     float* even, float* odd) {
  HalfOfRows c;
  load_c(reg<float>(w, c_list[2 * half]), reg<float>(w, c_list[2 * half + 1]), c);
  add_slice<half>(a, b[0], c);
  if constexpr (slices == 2) add_slice<2 + half>(a, b[1], c);
  store_d(c, even, odd);
}

/// D = A B + C. `a_list` with the offsets of B behind it, then those of C.
template <Element element, unsigned k>
TILEWRIGHT_INLINE void multiply_in_f32(Warp* w, const u32* d_list, const u32* a_list, bool same_a) {
  constexpr unsigned a_registers = k / 4, b_registers = k / 8;
  const u32 *b_list = a_list + a_registers, *c_list = b_list + b_registers;
  KeptA& a = *static_cast<KeptA*>(w->matrix_a);
  if (!same_a) {
    for (unsigned r = 0; r < a_registers; ++r) spread<element>(reg<u32>(w, a_list[r]), a, r);
  }
  OrderedB b[b_registers];
  for (unsigned r = 0; r < b_registers; ++r) order<element>(reg<u32>(w, b_list[r]), b[r]);
  float *d0 = reg<float>(w, d_list[0]), *d1 = reg<float>(w, d_list[1]);
  const auto is_needed = [&](u32 d) { return d == c_list[2] || d == c_list[3]; };
  // What the upper half writes may be what the lower half still has to read.
  alignas(64) float kept[2][32];
  const bool keeps = is_needed(d_list[0]) || is_needed(d_list[1]);
  multiply_rows<0, b_registers>(w, c_list, a, b, keeps ? kept[0] : d0, keeps ? kept[1] : d1);
  multiply_rows<1, b_registers>(w, c_list, a, b, reg<float>(w, d_list[2]),
                                reg<float>(w, d_list[3]));
  if (keeps) [[unlikely]] {
    __builtin_memcpy(d0, kept[0], sizeof kept[0]);
    __builtin_memcpy(d1, kept[1], sizeof kept[1]);
  }
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
