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

#if defined(__AVX512BW__)
struct alignas(64) TransposeIndex {
  u16 of[64];
  constexpr TransposeIndex() : of() {
    for (int k = 0; k < 64; ++k) of[k] = u16((k & 7) * 8 + (k >> 3));
  }
};
constexpr TransposeIndex transpose_index;

TILEWRIGHT_INLINE __m512i four_rows(const u8* memory, const u32* rows) {
  const auto row = [&](unsigned r) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(memory + rows[r]));
  };
  __m512i result = _mm512_castsi128_si512(row(0));
  result = _mm512_inserti32x4(result, row(1), 1);
  result = _mm512_inserti32x4(result, row(2), 2);
  return _mm512_inserti32x4(result, row(3), 3);
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

/// Row offsets of `n` matrices, checked. False: some row was refused and must not be touched;
/// its fragment is poisoned. flags 1: the address register has 64 bits.
TILEWRIGHT_INLINE u32 row_addresses(const Instruction* i, Warp* w, u32* rows, Access access) {
  const u32 count = 8u * i->n, displacement = u32(i->immediate);
  if ((i->flags & 1) != 0) {
    const u64* a = reg<u64>(w, i->a);
    TILEWRIGHT_LANES rows[l] = u32(a[l]) + displacement;
  } else {
    const u32* a = reg<u32>(w, i->a);
    TILEWRIGHT_LANES rows[l] = a[l] + displacement;
  }
  const u32 wanted = count == 32 ? all_lanes : (1u << count) - 1;
  if (inside<true>(rows, wanted, shared_base, w->shared_bytes, 16)) [[likely]] {
    return wanted;
  }
  return check_shared(w, i, rows, wanted, 16, access);
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
    const u32 ok = row_addresses(i, w, rows, Access::read);
    const bool whole = ok == (count == 4 ? all_lanes : (1u << (8 * count & 31)) - 1);
    if (w->observed) [[unlikely]] {
      observe_warp_sync(w, w->mask);
      if (whole) observe_matrix_rows(w, i, rows, count, Access::read, nullptr);
    }
    for (unsigned j = 0; j < count; ++j) {
      u32* d = reg<u32>(w, i->list[j]);
      if (((ok >> (8 * j)) & 255) == 255) [[likely]] {
        load_matrix<transpose>(w->shared, rows + 8 * j, d);
      } else {
        TILEWRIGHT_LANES d[l] = ~0u;
      }
    }
    return i + 1;
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
