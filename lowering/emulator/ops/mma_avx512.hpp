// mma of 16-bit types without leaving fragment order. A register of C holds, for 16 lanes, row
// l/4 and one column parity; so A is wanted with its element (row, k) spread over the four lanes
// of a row, which is a shuffle inside four lanes, and B with element (k, column) repeated down the
// rows, which is one permutation of two registers. 128 fused multiply-adds make a m16n8k16.
#pragma once

#include <immintrin.h>

#include "emulator/ops/fragment.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {

/// A register's even and odd elements, for lanes 0-15 and 16-31, spread from lane t of four.
struct alignas(64) SpreadA {
  __m512 at[4][2][2][4];  ///< [register][lane half][element parity][t]
};

/// Even and odd 16-bit elements of 16 lanes as f32.
template <Element element>
TILEWRIGHT_INLINE void split(const u32* source, __m512& even, __m512& odd) {
  const __m512i words = _mm512_load_si512(source);
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
    split<element>(source + 16 * part, parity[0], parity[1]);
    for (unsigned odd = 0; odd < 2; ++odd) {
      a.at[r][part][odd][0] = _mm512_permute_ps(parity[odd], 0x00);
      a.at[r][part][odd][1] = _mm512_permute_ps(parity[odd], 0x55);
      a.at[r][part][odd][2] = _mm512_permute_ps(parity[odd], 0xaa);
      a.at[r][part][odd][3] = _mm512_permute_ps(parity[odd], 0xff);
    }
  }
}

/// For k-lane t: which lanes of B feed the even and the odd column of every lane of C.
struct alignas(64) ColumnIndex {
  u32 of[4][2][16];
  constexpr ColumnIndex() : of() {
    for (u32 t = 0; t < 4; ++t) {
      for (u32 odd = 0; odd < 2; ++odd) {
        for (u32 l = 0; l < 16; ++l) of[t][odd][l] = 4 * (2 * (l % 4) + odd) + t;
      }
    }
  }
};
constexpr ColumnIndex column_index;

/// Adds eight k steps: A registers first and first + 1 (rows g and g + 8) times one B register.
template <Element element>
TILEWRIGHT_INLINE void multiply_slice(const SpreadA& a, unsigned first, const u32* b, __m512* c) {
  __m512 low[2], high[2];
  split<element>(b, low[0], low[1]);
  split<element>(b + 16, high[0], high[1]);
  for (unsigned t = 0; t < 4; ++t) {
    const __m512i even_columns = _mm512_load_si512(column_index.of[t][0]);
    const __m512i odd_columns = _mm512_load_si512(column_index.of[t][1]);
    for (unsigned parity = 0; parity < 2; ++parity) {
      const __m512 even = _mm512_permutex2var_ps(low[parity], even_columns, high[parity]);
      const __m512 odd = _mm512_permutex2var_ps(low[parity], odd_columns, high[parity]);
      for (unsigned part = 0; part < 2; ++part) {
        const __m512 upper = a.at[first][part][parity][t], lower = a.at[first + 1][part][parity][t];
        c[0 + part] = _mm512_fmadd_ps(upper, even, c[0 + part]);
        c[2 + part] = _mm512_fmadd_ps(upper, odd, c[2 + part]);
        c[4 + part] = _mm512_fmadd_ps(lower, even, c[4 + part]);
        c[6 + part] = _mm512_fmadd_ps(lower, odd, c[6 + part]);
      }
    }
  }
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
