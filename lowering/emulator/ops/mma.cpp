// mma.sync. Any type can be unpacked to f32 matrices, which are multiplied in rows of eight; the
// 16-bit types with f32 sums stay in fragment order where the processor has AVX-512
// (mma_avx512.hpp, mma_bfloat.hpp) or AVX2 (mma_avx2.hpp). `list` holds the offsets of D, A, B and
// C. flags 1: A is the same as that of the mma before, so its conversion is kept; 2: satfinite; 4
// and 8: see mma_bfloat.hpp.
#include "emulator/ops/converge.hpp"
#include "emulator/ops/fragment.hpp"
#include "emulator/ops/matrix_rows.hpp"
#include "emulator/ops/selection.hpp"
#if defined(__AVX512F__)
#include "emulator/ops/mma_bfloat.hpp"
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#define TILEWRIGHT_MMA_AVX2
#include "emulator/ops/mma_avx2.hpp"
#endif

namespace tilewright::emulator::TILEWRIGHT_VARIANT {
namespace {

template <bool masked>
TILEWRIGHT_INLINE bool whole_warp(const Instruction* i, Warp* w) {
  if constexpr (masked) {
    if (!gathered(i, w, active<true>(i, w), w->live)) return false;
  }
  if (w->observed) [[unlikely]] {
    leave_vectors();
    observe_warp_sync(w, w->mask);
  }
  return true;
}

typedef float Row __attribute__((vector_size(32)));

/// Any floating-point type; half_accumulator: C and D are f16 pairs.
template <Element element, unsigned k, bool half_accumulator>
struct Multiply {
  static constexpr unsigned width = bits_of(element);
  static constexpr unsigned a_registers = 16 * k * width / 1024, b_registers = 8 * k * width / 1024;
  static constexpr unsigned d_registers = half_accumulator ? 2 : 4;

  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    if (masked && active<masked>(i, w) == 0) return i + 1;
    if (!whole_warp<masked>(i, w)) return nullptr;
    MatrixA a;
    MatrixB b;
    unpack_a<element, k>(w, i->list + d_registers, a);
    unpack_b<element, k>(w, i->list + d_registers + a_registers, b);
    const u32* c_list = i->list + d_registers + a_registers + b_registers;
    Row rows[16];
    for (unsigned l = 0; l < 32; ++l) {
      for (unsigned r = 0; r < 4; ++r) {
        const unsigned row = l / 4 + 8 * (r >> 1), column = 2 * (l % 4) + (r & 1);
        rows[row][column] =
            half_accumulator
                ? half_to_float((reg<u32>(w, c_list[r >> 1])[l] >> (16 * (r & 1))) & 0xffff)
                : reg<float>(w, c_list[half_accumulator ? 0 : r])[l];
      }
    }
    for (unsigned x = 0; x < k; ++x) {
      Row line;
      __builtin_memcpy(&line, b.at[x], sizeof line);
      for (unsigned row = 0; row < 16; ++row) {
        const float scale = a.at[row][x];
        for (unsigned n = 0; n < 8; ++n)
          rows[row][n] = __builtin_fmaf(scale, line[n], rows[row][n]);
      }
    }
    for (unsigned l = 0; l < 32; ++l) {
      const unsigned row = l / 4, column = 2 * (l % 4);
      for (unsigned half = 0; half < 2; ++half) {
        const float low = rows[row + 8 * half][column], high = rows[row + 8 * half][column + 1];
        if constexpr (half_accumulator) {
          reg<u32>(w, i->list[half])[l] = float_to_half(low) | (float_to_half(high) << 16);
        } else {
          reg<float>(w, i->list[2 * half])[l] = low;
          reg<float>(w, i->list[2 * half + 1])[l] = high;
        }
      }
    }
    return next<masked>(i, w);
  }
};

/// m16n8k32 (or k16) of bytes into s32; `.satfinite` (flags 2) clamps the sum.
template <Element left, Element right, unsigned k>
struct MultiplyBytes {
  static constexpr unsigned a_registers = k / 8, b_registers = k / 16;

  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    if (masked && active<masked>(i, w) == 0) return i + 1;
    if (!whole_warp<masked>(i, w)) return nullptr;
    MatrixA a;
    MatrixB b;
    unpack_a<left, k>(w, i->list + 4, a);
    unpack_b<right, k>(w, i->list + 4 + a_registers, b);
    const u32* c_list = i->list + 4 + a_registers + b_registers;
    alignas(64) u32 t[4][32];
    for (unsigned l = 0; l < 32; ++l) {
      for (unsigned r = 0; r < 4; ++r) {
        const unsigned row = l / 4 + 8 * (r >> 1), column = 2 * (l % 4) + (r & 1);
        s64 sum = s32(reg<u32>(w, c_list[r])[l]);
        for (unsigned x = 0; x < k; ++x) sum += s32(a.at[row][x]) * s32(b.at[x][column]);
        if ((i->flags & 2) != 0)
          sum = sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
        t[r][l] = u32(sum);
      }
    }
    for (unsigned r = 0; r < 4; ++r) write<masked>(i, w, i->list[r], t[r]);
    return next<masked>(i, w);
  }
};

#if defined(TILEWRIGHT_MMA_AVX2)
template <Element element, unsigned k>
struct Fast {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    if (masked && active<masked>(i, w) == 0) return i + 1;
    if (!whole_warp<masked>(i, w)) return nullptr;
    multiply_in_f32<element, k>(w, i->list, i->list + 4, (i->flags & 1) != 0);
    return next<masked>(i, w);
  }
};
#elif defined(__AVX512F__)
template <Element element, unsigned k>
struct WideMultiply {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    if (masked && active<masked>(i, w) == 0) return i + 1;
    if (!whole_warp<masked>(i, w)) return nullptr;
    KeptA& a = *static_cast<KeptA*>(w->matrix_a);
    if ((i->flags & 1) == 0) a.has_spread = false;
    multiply_in_f32<element, k>(w, i->list, i->list + 4, a);
    return next<masked>(i, w);
  }
};

/// Out of line, so that the usual case keeps its registers.
template <unsigned k>
[[gnu::noinline, gnu::cold]] void multiply_small(Warp* w, const u32* list, KeptA& a) {
  a.only_pairs = false;
  multiply_in_f32<Element::brain, k>(w, list, list + 4, a);
}

template <unsigned k>
struct PairMultiply {
  static constexpr unsigned a_registers = k / 4, b_registers = k / 8;

  TILEWRIGHT_INLINE Product product(const Instruction* i, const KeptA& a) {
    const u32* b = i->list + 4 + a_registers;
    return {i->list, b, b + b_registers, (i->flags & 4) != 0 && a.only_pairs};
  }
  TILEWRIGHT_INLINE KeptA& prepare(const Instruction* i, Warp* w) {
    KeptA& a = *static_cast<KeptA*>(w->matrix_a);
    if ((i->flags & 1) == 0) spread_pairs<a_registers>(w, i->list + 4, a);
    if ((i->flags & 8) != 0) a.only_pairs = true;
    return a;
  }

  template <bool masked>
  TILEWRIGHT_PAIRS static const Instruction* run(const Instruction* i, Warp* w) {
    if (masked && active<masked>(i, w) == 0) return i + 1;
    if (!whole_warp<masked>(i, w)) return nullptr;
    KeptA& a = prepare(i, w);
    if (!multiply_pairs<b_registers>(w, a, product(i, a))) [[unlikely]]
      multiply_small<k>(w, i->list, a);
    return next<masked>(i, w);
  }

  /// This instruction and the next, whose A is the same.
  TILEWRIGHT_PAIRS static const Instruction* run_both(const Instruction* i, Warp* w) {
    whole_warp<false>(i, w);
    KeptA& a = prepare(i, w);
    const Product p = product(i, a), q = product(i + 1, a);
    PairsB b[2 * b_registers];
    const __m512i least = _mm512_min_epu16(order_pairs<b_registers>(w, p.b, b),
                                           order_pairs<b_registers>(w, q.b, b + b_registers));
    if (!multiply_pairs<b_registers>(w, a, p, q, b, least)) [[unlikely]] {
      multiply_small<k>(w, i->list, a);
      multiply_small<k>(w, i[1].list, a);
    }
    return next<false>(i + 1, w);
  }

  /// B of two products as an ldmatrix.x4 finds it.
  struct Loaded {
    PairsB b[4];
    __m512i least;
  };

  /// False, with nothing done, where the rows are not at hand.
  template <bool transpose>
  TILEWRIGHT_INLINE bool load(const Instruction* i, Warp* w, Loaded& out) {
    alignas(64) u32 rows[32];
    if (!rows_at_hand<4>(i, w, rows)) [[unlikely]]
      return false;
    out.least = _mm512_set1_epi16(-1);
    for (unsigned j = 0; j < 4; ++j) {
      TILEWRIGHT_STEP_BY_STEP;  // or all rows' addresses are loaded first, and stored again
      const __m512i least = order_pairs<transpose>(read_rows(w->shared, rows + 8 * j), out.b[j]);
      out.least = _mm512_min_epu16(out.least, least);
    }
    return true;
  }

  /// Out of line like `multiply_small`, which wants B in its registers.
  template <bool transpose>
  [[gnu::noinline, gnu::cold]] static void load_and_multiply_small(const Instruction* i, Warp* w,
                                                                   KeptA& a) {
    alignas(64) u32 rows[32];
    place_rows(i, w, rows);
    for (unsigned j = 0; j < 4; ++j)
      load_matrix<transpose>(w->shared, rows + 8 * j, reg<u32>(w, i->list[j]));
    multiply_small<k>(w, i[1].list, a);
    multiply_small<k>(w, i[2].list, a);
  }

  /// An ldmatrix.x4 and two mma with one A and B from it, which nothing else reads: it never gets
  /// to the registers. Where such three follow each other (flags 4), the rows for the next two mma
  /// are fetched before these two multiply: their way through memory takes as long as a third of
  /// the multiplications, and the processor does not look far enough ahead to hide it.
  template <bool transpose>
  TILEWRIGHT_PAIRS static const Instruction* run_loaded(const Instruction* i, Warp* w) {
    static_assert(k == 16);
    Loaded loaded[2];
    if (!load<transpose>(i, w, loaded[0])) [[unlikely]] {
      load_four_carefully(i, w, transpose);
      return run_both(i + 1, w);
    }
    for (unsigned now = 0;; now ^= 1) {
      const Instruction *first = i + 1, *second = i + 2, *following = i + 3;
      const bool more = (i->flags & 4) != 0 && load<transpose>(following, w, loaded[now ^ 1]);
      KeptA& a = prepare(first, w);
      if (!multiply_pairs<2>(w, a, product(first, a), product(second, a), loaded[now].b,
                             loaded[now].least)) [[unlikely]] {
        load_and_multiply_small<transpose>(i, w, a);
      }
      if (!more) return next<false>(second, w);
      i = following;
    }
  }
};

template <unsigned k>
Handlers of_brains() {
  if (!__builtin_cpu_supports("avx512bf16")) return handlers<WideMultiply<Element::brain, k>>();
  Handlers found = handlers<PairMultiply<k>>();
  found.both = &PairMultiply<k>::run_both;
  if constexpr (k == 16) {
    found.loaded[0] = &PairMultiply<k>::template run_loaded<false>;
    found.loaded[1] = &PairMultiply<k>::template run_loaded<true>;
  }
  return found;
}
template <Element element, unsigned k>
using Fast = WideMultiply<element, k>;
#else
template <Element element, unsigned k>
using Fast = Multiply<element, k, false>;
#endif
#if !defined(__AVX512F__)
template <unsigned k>
Handlers of_brains() {
  return handlers<Fast<Element::brain, k>>();
}
#endif

template <unsigned k>
Handlers of_bytes(Type a, Type b) {
  constexpr Element s = Element::signed_byte, u = Element::unsigned_byte;
  if (a == Type::s8) {
    return b == Type::s8 ? handlers<MultiplyBytes<s, s, k>>() : handlers<MultiplyBytes<s, u, k>>();
  }
  return b == Type::s8 ? handlers<MultiplyBytes<u, s, k>>() : handlers<MultiplyBytes<u, u, k>>();
}

bool is_byte(Type type) { return type == Type::s8 || type == Type::u8; }

}  // namespace

// Types are written D, A, B, C.
Handlers mma(const Form& form) {
  const Type d = form.types[0], a = form.types[1], b = form.types[2], c = form.types[3];
  if (d != c) return {};
  if (d == Type::s32 && is_byte(a) && is_byte(b)) {
    if (form.has(Modifier::m16n8k32)) return of_bytes<32>(a, b);
    return form.has(Modifier::m16n8k16) ? of_bytes<16>(a, b) : Handlers{};
  }
  if (a != b) return {};
  if (form.has(Modifier::m16n8k16)) {
    if (d == Type::f16 && a == Type::f16) return handlers<Multiply<Element::half, 16, true>>();
    if (d == Type::f32 && a == Type::bf16) return of_brains<16>();
    if (d == Type::f32 && a == Type::f16) return handlers<Fast<Element::half, 16>>();
  } else if (form.has(Modifier::m16n8k8)) {
    if (d == Type::f16 && a == Type::f16) return handlers<Multiply<Element::half, 8, true>>();
    if (d == Type::f32 && a == Type::bf16) return of_brains<8>();
    if (d == Type::f32 && a == Type::f16) return handlers<Fast<Element::half, 8>>();
    if (d == Type::f32 && a == Type::tf32) return handlers<Multiply<Element::tensor, 8, false>>();
  } else if (form.has(Modifier::m16n8k4)) {
    if (d == Type::f32 && a == Type::tf32) return handlers<Multiply<Element::tensor, 4, false>>();
  }
  return {};
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
