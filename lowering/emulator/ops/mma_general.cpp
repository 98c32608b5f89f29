// The shapes and types of mma.sync that mma.cpp leaves out, by one plain loop over lanes: m8n8k16
// and m8n8k32 of integers, sub-byte integers, single bits, 8-bit floats, and f64. The layout is the
// general one of fragment.hpp for 16 or 8 rows. `list` holds the offsets of D, A, B and C; n is the
// number of rows, c the depth k, e the element's code, flags 2: .satfinite.
#include "emulator/ops/mma_general.hpp"
#include "emulator/ops/converge.hpp"
#include "emulator/ops/packed.hpp"
#include "emulator/ops/selection.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {
namespace {

/// An element of an operand as it counts in the sum; `a` and `b` may differ in sign.
TILEWRIGHT_INLINE s64 whole(u32 word, unsigned bits, bool sign) {
  const u32 value = word & (bits == 32 ? ~0u : (1u << bits) - 1);
  return sign && (value >> (bits - 1)) != 0 ? s64(value) - (s64{1} << bits) : s64(value);
}

struct Shape {
  unsigned rows, depth, bits, a_registers, b_registers;
  explicit Shape(const Instruction* i)
      : rows(i->n),
        depth(i->c),
        bits(general_bits(GeneralElement(i->e & 15))),
        a_registers(rows * depth * bits / 1024),
        b_registers(8 * depth * bits / 1024) {}
  /// The register and its bit of A's element in row `row`, column `column`, and the lane that has
  /// it.
  void place(unsigned row, unsigned column, unsigned wide, unsigned& lane, unsigned& index,
             unsigned& shift) const {
    const unsigned per = 32 / bits, group = column / (4 * per), inside = column % (4 * per);
    lane = row % 8 * 4 + inside / per;
    index = wide * group + row / 8;
    shift = inside % per * bits;
  }
};

template <bool masked>
TILEWRIGHT_INLINE bool ready(const Instruction* i, Warp* w) {
  if constexpr (masked) {
    if (!gathered(i, w, active<true>(i, w), w->live)) return false;
  }
  if (w->observed) [[unlikely]]
    observe_warp_sync(w, w->mask);
  return true;
}

struct GeneralMultiply {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    if (masked && active<masked>(i, w) == 0) return i + 1;
    if (!ready<masked>(i, w)) return nullptr;
    const Shape shape(i);
    const GeneralElement kind = GeneralElement(i->e & 15);
    const bool sign_a = (i->e & 16) != 0, sign_b = (i->e & 32) != 0, conjunction = (i->e & 64) != 0;
    const unsigned d_registers = shape.rows / 4;
    const u32 *d = i->list, *a = d + d_registers, *b = a + shape.a_registers,
              *c = b + shape.b_registers;
    alignas(64) u32 t[4][32];
    for (unsigned l = 0; l < 32; ++l) {
      for (unsigned r = 0; r < d_registers; ++r) {
        const unsigned row = l / 4 + 8 * (r >> 1), column = 2 * (l % 4) + (r & 1);
        s64 sum = s32(reg<u32>(w, c[r])[l]);
        float real = bits<float>(reg<u32>(w, c[r])[l]);
        for (unsigned k = 0; k < shape.depth; ++k) {
          unsigned lane, index, shift;
          shape.place(row, k, shape.rows / 8, lane, index, shift);
          const u32 x = reg<u32>(w, a[index])[lane] >> shift;
          shape.place(column, k, 1, lane, index, shift);
          const u32 y = reg<u32>(w, b[index])[lane] >> shift;
          if (kind == GeneralElement::e4m3 || kind == GeneralElement::e5m2) {
            // The types of A and B may differ; their codes are in the sign bits.
            real += packed::fp8_value(x & 255, sign_a) * packed::fp8_value(y & 255, sign_b);
          } else if (kind == GeneralElement::bit) {
            sum += conjunction ? x & y & 1 : (x ^ y) & 1;
          } else {
            sum += whole(x, shape.bits, sign_a) * whole(y, shape.bits, sign_b);
          }
        }
        if ((i->flags & 2) != 0)
          sum = sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
        const bool is_real = kind == GeneralElement::e4m3 || kind == GeneralElement::e5m2;
        t[r][l] = is_real ? bits<u32>(real) : u32(sum);
      }
    }
    for (unsigned r = 0; r < d_registers; ++r) write<masked>(i, w, d[r], t[r]);
    return i + 1;
  }
};

/// m8n8k4 of f64: A row l/4 column l%4, B the transpose, C and D two columns per lane.
struct DoubleMultiply {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    if (masked && active<masked>(i, w) == 0) return i + 1;
    if (!ready<masked>(i, w)) return nullptr;
    const double *a = reg<double>(w, i->list[2]), *b = reg<double>(w, i->list[3]);
    alignas(64) double t[2][32];
    for (unsigned l = 0; l < 32; ++l) {
      for (unsigned r = 0; r < 2; ++r) {
        const unsigned row = l / 4, column = 2 * (l % 4) + r;
        double sum = reg<double>(w, i->list[4 + r])[l];
        for (unsigned k = 0; k < 4; ++k)
          sum = __builtin_fma(a[4 * row + k], b[4 * column + k], sum);
        t[r][l] = sum;
      }
    }
    for (unsigned r = 0; r < 2; ++r) write<masked>(i, w, i->list[r], t[r]);
    return i + 1;
  }
};

}  // namespace

Handlers mma_general(const Form& form) {
  return form.types[0] == Type::f64 ? handlers<DoubleMultiply>() : handlers<GeneralMultiply>();
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
