// ldmatrix, stmatrix and movmatrix: 8x8 matrices of 16-bit elements between shared memory and the
// fragments of tensor instructions. Lane l of a fragment holds row l/4, columns 2(l%4) and +1; the
// transposed forms hold the transpose. Matrix j takes its eight row addresses from lanes 8j...8j+7.
#include "emulator/ops/bounds.hpp"
#include "emulator/ops/converge.hpp"
#include "emulator/ops/selection.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {
namespace {

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

template <bool transpose>
TILEWRIGHT_INLINE void load_matrix(const u8* memory, const u32* rows, u32* d) {
  const __m512i low = four_rows(memory, rows), high = four_rows(memory, rows + 4);
  if constexpr (transpose) {
    const u16* index = transpose_index.of;
    _mm512_store_si512(d, _mm512_permutex2var_epi16(low, _mm512_load_si512(index), high));
    _mm512_store_si512(d + 16, _mm512_permutex2var_epi16(low, _mm512_load_si512(index + 32), high));
  } else {
    _mm512_store_si512(d, low);
    _mm512_store_si512(d + 16, high);
  }
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

TILEWRIGHT_INLINE void to_rows(const u32* fragment, bool transpose, Rows& m) {
  for (unsigned l = 0; l < 32; ++l) {
    const unsigned row = l / 4, column = 2 * (l % 4);
    (transpose ? m.at[column][row] : m.at[row][column]) = u16(fragment[l]);
    (transpose ? m.at[column + 1][row] : m.at[row][column + 1]) = u16(fragment[l] >> 16);
  }
}

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

/// Row offsets of `n` matrices, checked. The result is the rows that may be touched.
TILEWRIGHT_INLINE u32 row_addresses(const Instruction* i, Warp* w, u32* rows, Access access) {
  place_rows(i, w, rows);
  const u32 wanted = lanes_of(i->n);
  if (inside<true>(rows, wanted, shared_base, w->shared_bytes, 16)) [[likely]] {
    return wanted;
  }
  return check_shared(w, i, rows, wanted, 16, access);
}

/// Watched, or some row is refused: then its fragment is poisoned.
template <unsigned count, bool transpose>
[[gnu::noinline]] void load_carefully(const Instruction* i, Warp* w) {
  alignas(64) u32 rows[32];
  const u32 ok = row_addresses(i, w, rows, Access::read);
  if (w->observed) {
    leave_vectors();
    observe_warp_sync(w, w->mask);
    if (ok == lanes_of(count)) observe_matrix_rows(w, i, rows, count, Access::read, nullptr);
  }
  for (unsigned j = 0; j < count; ++j) {
    u32* d = reg<u32>(w, i->list[j]);
    if (((ok >> (8 * j)) & 255) == 255) {
      load_matrix<transpose>(w->shared, rows + 8 * j, d);
    } else {
      TILEWRIGHT_LANES d[l] = ~0u;
    }
  }
}

template <unsigned count, bool transpose>
struct LoadMatrix {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    if constexpr (masked) {
      const u32 lanes = active<true>(i, w);
      if (lanes == 0) return i + 1;
      if (!gathered(i, w, lanes, w->live)) return nullptr;
    }
    alignas(64) u32 rows[32];
    place_rows(i, w, rows);
    if (w->observed || !inside<count != 4>(rows, lanes_of(count), shared_base, w->shared_bytes, 16))
        [[unlikely]] {
      load_carefully<count, transpose>(i, w);
    } else {
      for (unsigned j = 0; j < count; ++j)
        load_matrix<transpose>(w->shared, rows + 8 * j, reg<u32>(w, i->list[j]));
    }
    return next<masked>(i, w);
  }
};

/// flags 2: transposed.
struct StoreMatrix {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    if constexpr (masked) {
      const u32 lanes = active<true>(i, w);
      if (lanes == 0) return i + 1;
      if (!gathered(i, w, lanes, w->live)) return nullptr;
    }
    alignas(64) u32 rows[32];
    const u32 ok = row_addresses(i, w, rows, Access::write);
    Rows values[4];
    for (unsigned j = 0; j < i->n; ++j) {
      to_rows(reg<u32>(w, i->list[j]), (i->flags & 2) != 0, values[j]);
    }
    if (w->observed) [[unlikely]] {
      observe_warp_sync(w, w->mask);
      if (ok != 0) observe_matrix_rows(w, i, rows, i->n, Access::write, values);
    }
    for (unsigned row = 0; row < 8u * i->n; ++row) {
      if (((ok >> row) & 1) == 0) continue;
      __builtin_memcpy(w->shared + rows[row], values[row / 8].at[row % 8], 16);
    }
    return i + 1;
  }
};

struct MoveMatrix {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    if constexpr (masked) {
      const u32 lanes = active<true>(i, w);
      if (lanes == 0) return i + 1;
      if (!gathered(i, w, lanes, w->live)) return nullptr;
    }
    if (w->observed) [[unlikely]]
      observe_warp_sync(w, w->mask);
    Rows m;
    to_rows(reg<u32>(w, i->a), true, m);
    alignas(64) u32 t[32];
    __builtin_memcpy(t, m.at, sizeof t);
    write<masked>(i, w, i->d, t);
    return i + 1;
  }
};

template <unsigned count>
Handlers load_of(bool transpose) {
  return transpose ? handlers<LoadMatrix<count, true>>() : handlers<LoadMatrix<count, false>>();
}

}  // namespace

Handlers matrix(const Form& form, unsigned count) {
  const bool transpose = form.has(Modifier::trans);
  if (form.opcode == Opcode::movmatrix) return handlers<MoveMatrix>();
  if (form.opcode == Opcode::stmatrix) return handlers<StoreMatrix>();
  switch (count) {
    case 1: return load_of<1>(transpose);
    case 2: return load_of<2>(transpose);
    case 4: return load_of<4>(transpose);
    default: return {};
  }
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
