// mma of 16-bit types without leaving fragment order. A register of C holds, for 16 lanes, row
// l/4 and one column parity; so A is wanted with its element (row, k) spread over the four lanes
// of a row, which is a shuffle inside four lanes, and B with element (k, column) repeated down the
// rows: its words are put in the order of k once and four of them at a time are broadcast from
// memory. 128 fused multiply-adds make a m16n8k16.
//
// Accumulators are named members, not an array, and the compiler may not move loads from one step
// to another: otherwise it keeps accumulators in memory or spills what it loaded too early.
#pragma once

#include <immintrin.h>

#include "emulator/ops/fragment.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {

#define TILEWRIGHT_STEP_BY_STEP __asm__ volatile("" ::: "memory")

/// A register's even and odd elements, for lanes 0-15 and 16-31, spread from lane t of four.
struct alignas(64) SpreadA {
  __m512 at[4][2][2][4];  ///< [register][lane half][element parity][t]
};

/// C or D in fragment order: rows g and g + 8, even and odd columns, lanes 0-15 and 16-31.
struct Accumulators {
  __m512 upper_even0, upper_even1, upper_odd0, upper_odd1;
  __m512 lower_even0, lower_even1, lower_odd0, lower_odd1;
};

TILEWRIGHT_INLINE void load_c(Warp* w, const u32* list, Accumulators& c) {
  const float *c0 = reg<float>(w, list[0]), *c1 = reg<float>(w, list[1]);
  const float *c2 = reg<float>(w, list[2]), *c3 = reg<float>(w, list[3]);
  c.upper_even0 = _mm512_load_ps(c0);
  c.upper_even1 = _mm512_load_ps(c0 + 16);
  c.upper_odd0 = _mm512_load_ps(c1);
  c.upper_odd1 = _mm512_load_ps(c1 + 16);
  c.lower_even0 = _mm512_load_ps(c2);
  c.lower_even1 = _mm512_load_ps(c2 + 16);
  c.lower_odd0 = _mm512_load_ps(c3);
  c.lower_odd1 = _mm512_load_ps(c3 + 16);
}

TILEWRIGHT_INLINE void store_d(Warp* w, const u32* list, const Accumulators& d) {
  float *d0 = reg<float>(w, list[0]), *d1 = reg<float>(w, list[1]);
  float *d2 = reg<float>(w, list[2]), *d3 = reg<float>(w, list[3]);
  _mm512_store_ps(d0, d.upper_even0);
  _mm512_store_ps(d0 + 16, d.upper_even1);
  _mm512_store_ps(d1, d.upper_odd0);
  _mm512_store_ps(d1 + 16, d.upper_odd1);
  _mm512_store_ps(d2, d.lower_even0);
  _mm512_store_ps(d2 + 16, d.lower_even1);
  _mm512_store_ps(d3, d.lower_odd0);
  _mm512_store_ps(d3 + 16, d.lower_odd1);
}

/// Even and odd 16-bit elements of 16 lanes as f32.
template <Element element>
TILEWRIGHT_INLINE void split(__m512i words, __m512& even, __m512& odd) {
  if constexpr (element == Element::brain) {
    even = _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
    odd = _mm512_castsi512_ps(_mm512_and_si512(words, _mm512_set1_epi32(int(0xffff0000u))));
  } else {
    even = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(words));
    odd = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(words, 16)));
  }
}

template <Element element>
TILEWRIGHT_INLINE void spread(const u32* source, SpreadA& a, unsigned r) {
  for (unsigned part = 0; part < 2; ++part) {
    __m512 parity[2];
    split<element>(_mm512_load_si512(source + 16 * part), parity[0], parity[1]);
    for (unsigned odd = 0; odd < 2; ++odd) {
      a.at[r][part][odd][0] = _mm512_permute_ps(parity[odd], 0x00);
      a.at[r][part][odd][1] = _mm512_permute_ps(parity[odd], 0x55);
      a.at[r][part][odd][2] = _mm512_permute_ps(parity[odd], 0xaa);
      a.at[r][part][odd][3] = _mm512_permute_ps(parity[odd], 0xff);
    }
  }
}

/// Which lane of B holds the word of k-lane t and column n: for t = 0, 1 and t = 2, 3, first the
/// even columns, then the odd ones.
struct alignas(64) WordOrder {
  u32 of[2][16];
  constexpr WordOrder() : of() {
    for (u32 at = 0; at < 32; ++at) {
      const u32 t = at / 8, odd = at / 4 % 2, column = 2 * (at % 4) + odd;
      of[at / 16][at % 16] = 4 * column + t;
    }
  }
};
constexpr WordOrder word_order;

/// A register of B: [element parity][t][column parity], four columns of one parity each.
struct alignas(64) OrderedB {
  float at[2][4][2][4];
};

template <Element element>
TILEWRIGHT_INLINE void order(const u32* b, OrderedB& out) {
  const __m512i low = _mm512_load_si512(b), high = _mm512_load_si512(b + 16);
  for (unsigned half = 0; half < 2; ++half) {
    const __m512i index = _mm512_load_si512(word_order.of[half]);
    __m512 even, odd;
    split<element>(_mm512_permutex2var_epi32(low, index, high), even, odd);
    _mm512_store_ps(out.at[0][2 * half][0], even);
    _mm512_store_ps(out.at[1][2 * half][0], odd);
  }
}

/// Adds one k: A registers `first` (rows g) and `first` + 1 (rows g + 8).
template <unsigned first, unsigned t, unsigned parity>
TILEWRIGHT_INLINE void add_step(const SpreadA& a, const OrderedB& b, Accumulators& c) {
  TILEWRIGHT_STEP_BY_STEP;
  const __m512 even = _mm512_broadcast_f32x4(_mm_load_ps(b.at[parity][t][0]));
  const __m512 odd = _mm512_broadcast_f32x4(_mm_load_ps(b.at[parity][t][1]));
  const __m512 upper0 = a.at[first][0][parity][t], upper1 = a.at[first][1][parity][t];
  const __m512 lower0 = a.at[first + 1][0][parity][t], lower1 = a.at[first + 1][1][parity][t];
  c.upper_even0 = _mm512_fmadd_ps(upper0, even, c.upper_even0);
  c.upper_odd0 = _mm512_fmadd_ps(upper0, odd, c.upper_odd0);
  c.upper_even1 = _mm512_fmadd_ps(upper1, even, c.upper_even1);
  c.upper_odd1 = _mm512_fmadd_ps(upper1, odd, c.upper_odd1);
  c.lower_even0 = _mm512_fmadd_ps(lower0, even, c.lower_even0);
  c.lower_odd0 = _mm512_fmadd_ps(lower0, odd, c.lower_odd0);
  c.lower_even1 = _mm512_fmadd_ps(lower1, even, c.lower_even1);
  c.lower_odd1 = _mm512_fmadd_ps(lower1, odd, c.lower_odd1);
}

/// Adds eight k: one register of B.
template <unsigned first>
TILEWRIGHT_INLINE void add_slice(const SpreadA& a, const OrderedB& b, Accumulators& c) {
  add_step<first, 0, 0>(a, b, c);
  add_step<first, 0, 1>(a, b, c);
  add_step<first, 1, 0>(a, b, c);
  add_step<first, 1, 1>(a, b, c);
  add_step<first, 2, 0>(a, b, c);
  add_step<first, 2, 1>(a, b, c);
  add_step<first, 3, 0>(a, b, c);
  add_step<first, 3, 1>(a, b, c);
}

/// The A operand in the forms the ways of multiplying want; kept from one mma to the next.
struct KeptA {
  SpreadA spread;
  __m512i pairs[4][2][4];  ///< see mma_bfloat.hpp
  u32 least_of_b;
  bool has_pairs, has_spread, only_pairs;
};

/// D = A B + C in f32. `a_list` with the offsets of B behind it, then those of C.
template <Element element, unsigned k>
TILEWRIGHT_INLINE void multiply_in_f32(Warp* w, const u32* d_list, const u32* a_list, KeptA& a) {
  constexpr unsigned a_registers = k / 4, b_registers = k / 8;
  const u32* b_list = a_list + a_registers;
  if (!a.has_spread) {
    for (unsigned r = 0; r < a_registers; ++r) spread<element>(reg<u32>(w, a_list[r]), a.spread, r);
    a.has_spread = true;
  }
  OrderedB b[b_registers];
  for (unsigned r = 0; r < b_registers; ++r) order<element>(reg<u32>(w, b_list[r]), b[r]);
  Accumulators c;
  load_c(w, b_list + b_registers, c);
  add_slice<0>(a.spread, b[0], c);
  if constexpr (b_registers == 2) add_slice<2>(a.spread, b[1], c);
  store_d(w, d_list, c);
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
