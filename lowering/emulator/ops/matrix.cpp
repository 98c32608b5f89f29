// ldmatrix, stmatrix and movmatrix: 8x8 matrices of 16-bit elements between shared memory and the
// fragments of tensor instructions. Lane l of a fragment holds row l/4, columns 2(l%4) and +1; the
// transposed forms hold the transpose. Matrix j takes its eight row addresses from lanes 8j...8j+7.
#include "emulator/ops/converge.hpp"
#include "emulator/ops/matrix_rows.hpp"
#include "emulator/ops/selection.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {
namespace {

TILEWRIGHT_INLINE void to_rows(const u32* fragment, bool transpose, Rows& m) {
  for (unsigned l = 0; l < 32; ++l) {
    const unsigned row = l / 4, column = 2 * (l % 4);
    (transpose ? m.at[column][row] : m.at[row][column]) = u16(fragment[l]);
    (transpose ? m.at[column + 1][row] : m.at[row][column + 1]) = u16(fragment[l] >> 16);
  }
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
    if (!rows_at_hand<count>(i, w, rows)) [[unlikely]] {
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

void load_four_carefully(const Instruction* i, Warp* w, bool transpose) {
  if (transpose) {
    load_carefully<4, true>(i, w);
  } else {
    load_carefully<4, false>(i, w);
  }
}

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
