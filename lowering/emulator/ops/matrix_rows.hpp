// The rows of 8x8 matrices of 16-bit elements in shared memory, and loading one of them into a
// fragment: what ldmatrix (matrix.cpp) and the mma that follow it at once (mma.cpp) share.
#pragma once

#include "emulator/ops/bounds.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {

struct alignas(64) Rows {
  u16 at[8][8];
};

#if defined(__AVX2__)
TILEWRIGHT_INLINE __m128i one_row(const u8* memory, u32 row) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(memory + row));
}
/// The second is inserted as it is loaded, which is cheaper than any shuffle.
TILEWRIGHT_INLINE __m256i two_rows(const u8* memory, const u32* rows) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(one_row(memory, rows[0])),
                                 one_row(memory, rows[1]), 1);
}
#endif

#if defined(__AVX512BW__)
struct alignas(64) TransposeIndex {
  u16 of[64];
  constexpr TransposeIndex() : of() {
    for (int k = 0; k < 64; ++k) of[k] = u16((k & 7) * 8 + (k >> 3));
  }
};
constexpr TransposeIndex transpose_index;

TILEWRIGHT_INLINE __m512i four_rows(const u8* memory, const u32* rows) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(two_rows(memory, rows)),
                            two_rows(memory, rows + 2), 1);
}

/// Lanes 0-15 and 16-31 of a fragment.
struct MatrixHalves {
  __m512i low, high;
};

/// Rows as they are: the fragment of the untransposed form.
TILEWRIGHT_INLINE MatrixHalves read_rows(const u8* memory, const u32* rows) {
  return {four_rows(memory, rows), four_rows(memory, rows + 4)};
}

template <bool transpose>
TILEWRIGHT_INLINE void load_matrix(const u8* memory, const u32* rows, u32* d) {
  const MatrixHalves m = read_rows(memory, rows);
  const u16* index = transpose_index.of;
  const auto half = [&](unsigned which, __m512i untransposed) {
    if constexpr (!transpose) return untransposed;
    return _mm512_permutex2var_epi16(m.low, _mm512_load_si512(index + 32 * which), m.high);
  };
  _mm512_store_si512(d, half(0, m.low));
  _mm512_store_si512(d + 16, half(1, m.high));
}
#elif defined(__AVX2__)
template <bool transpose>
TILEWRIGHT_INLINE void load_matrix(const u8* memory, const u32* rows, u32* d) {
  const auto store = [&](unsigned pair, __m256i v) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(d + 8 * pair), v);
  };
  if constexpr (!transpose) {
    for (unsigned pair = 0; pair < 4; ++pair) store(pair, two_rows(memory, rows + 2 * pair));
    return;
  }
  // Rows r and r + 4 side by side; three rounds of unpacking leave columns 2p and 2p + 1 there.
  const auto apart = [&](unsigned r) {
    return _mm256_inserti128_si256(_mm256_castsi128_si256(one_row(memory, rows[r])),
                                   one_row(memory, rows[r + 4]), 1);
  };
  const __m256i r0 = apart(0), r1 = apart(1), r2 = apart(2), r3 = apart(3);
  const __m256i a0 = _mm256_unpacklo_epi16(r0, r1), a1 = _mm256_unpackhi_epi16(r0, r1);
  const __m256i a2 = _mm256_unpacklo_epi16(r2, r3), a3 = _mm256_unpackhi_epi16(r2, r3);
  // Halves of columns: words (rows 0-3 of c, of c + 1) and the same of rows 4-7.
  const __m256i columns[4] = {_mm256_unpacklo_epi32(a0, a2), _mm256_unpackhi_epi32(a0, a2),
                              _mm256_unpacklo_epi32(a1, a3), _mm256_unpackhi_epi32(a1, a3)};
  for (unsigned pair = 0; pair < 4; ++pair)
    store(pair, _mm256_permute4x64_epi64(columns[pair], 0xd8));
}
#else
template <bool transpose>
TILEWRIGHT_INLINE void load_matrix(const u8* memory, const u32* rows, u32* d) {
  Rows m;
  for (unsigned r = 0; r < 8; ++r) __builtin_memcpy(m.at[r], memory + rows[r], 16);
  for (unsigned l = 0; l < 32; ++l) {
    const unsigned row = l / 4, column = 2 * (l % 4);
    d[l] = transpose ? m.at[column][row] | u32{m.at[column + 1][row]} << 16
                     : m.at[row][column] | u32{m.at[row][column + 1]} << 16;
  }
}
#endif

/// Row offsets. flags 1: the address register has 64 bits.
TILEWRIGHT_INLINE void place_rows(const Instruction* i, Warp* w, u32* rows) {
  const u32 displacement = u32(i->immediate);
  if ((i->flags & 1) != 0) {
    const u64* a = reg<u64>(w, i->a);
    TILEWRIGHT_LANES rows[l] = u32(a[l]) + displacement;
  } else {
    const u32* a = reg<u32>(w, i->a);
    TILEWRIGHT_LANES rows[l] = a[l] + displacement;
  }
}

constexpr u32 lanes_of(unsigned matrices) {
  return matrices == 4 ? all_lanes : (1u << (8 * matrices)) - 1;
}

/// Whether the rows of each matrix lie in eight different groups of four banks.
template <unsigned count>
TILEWRIGHT_INLINE bool no_conflicts(const u32* rows) {
  u32 everywhere = 0xff;
  for (unsigned j = 0; j < count; ++j) {
    u32 groups = 0;
    for (unsigned r = 0; r < 8; ++r) groups |= 1u << ((rows[8 * j + r] >> 4) & 7);
    everywhere &= groups;
  }
  return everywhere == 0xff;
}

/// Fills `rows`; true when all of them may be read and there is nothing more to tell: no detector
/// watches, and if there are counters, they have been told.
template <unsigned count>
TILEWRIGHT_INLINE bool rows_at_hand(const Instruction* i, Warp* w, u32* rows) {
  place_rows(i, w, rows);
  if (!inside<count != 4>(rows, lanes_of(count), shared_base, w->shared_bytes, 16)) return false;
  if (!w->observed) [[likely]]
    return true;
  if (w->block->monitor != nullptr || !no_conflicts<count>(rows)) return false;
  w->block->counter->matrices_without_conflict(count);
  return true;
}

/// ldmatrix.x4 where `rows_at_hand` says no: observes, refuses, poisons.
void load_four_carefully(const Instruction* i, Warp* w, bool transpose);

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
