// How the elements of mma operands lie in registers (PTX ISA, "Matrix fragments"): lane l, g = l/4,
// t = l%4, e the element inside a 32-bit register, P elements per register.
// A (16 x K): register r holds row g + 8 (r&1), column (r>>1) 4P + tP + e.
// B (K x 8):  register r holds row r 4P + tP + e, column g.
// C, D:       register pairs hold row g + 8 (r>>1), columns 2t and 2t+1.
#pragma once

#include "emulator/ops/floats.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {

enum class Element { brain, half, tensor, signed_byte, unsigned_byte };

constexpr unsigned bits_of(Element element) {
  return element == Element::tensor                              ? 32
         : element == Element::brain || element == Element::half ? 16
                                                                 : 8;
}

template <Element element>
TILEWRIGHT_INLINE float element_value(u32 word) {
  switch (element) {
    case Element::brain: return bfloat_to_float(word & 0xffff);
    case Element::half: return half_to_float(word & 0xffff);
    case Element::tensor: return bits<float>(word & 0xffffe000u);
    case Element::signed_byte: return float(s8(word));
    case Element::unsigned_byte: return float(u8(word));
  }
  return 0;
}

/// The A operand unpacked, 16 x 32 at most.
struct alignas(64) MatrixA {
  float at[16][32];
};
struct alignas(64) MatrixB {
  float at[32][8];
};

template <Element element, unsigned k>
TILEWRIGHT_INLINE void unpack_a(Warp* w, const u32* list, MatrixA& a) {
  constexpr unsigned width = bits_of(element), per = 32 / width, registers = 16 * k * width / 1024;
  for (unsigned r = 0; r < registers; ++r) {
    const u32* source = reg<u32>(w, list[r]);
    for (unsigned l = 0; l < 32; ++l) {
      for (unsigned e = 0; e < per; ++e) {
        a.at[l / 4 + 8 * (r & 1)][(r >> 1) * 4 * per + (l % 4) * per + e] =
            element_value<element>(source[l] >> (width * e % 32));
      }
    }
  }
}

template <Element element, unsigned k>
TILEWRIGHT_INLINE void unpack_b(Warp* w, const u32* list, MatrixB& b) {
  constexpr unsigned width = bits_of(element), per = 32 / width, registers = 8 * k * width / 1024;
  for (unsigned r = 0; r < registers; ++r) {
    const u32* source = reg<u32>(w, list[r]);
    for (unsigned l = 0; l < 32; ++l) {
      for (unsigned e = 0; e < per; ++e) {
        b.at[r * 4 * per + (l % 4) * per + e][l / 4] =
            element_value<element>(source[l] >> (width * e % 32));
      }
    }
  }
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
