// Codes that decode_matrix.cpp and ops/mma_general.cpp share: the element of an operand in the low
// four bits; 16 and 32: A and B are signed (or e5m2); 64: and instead of xor.
#pragma once

namespace tilewright::emulator {

enum class GeneralElement : unsigned { byte, nibble, bit, e4m3, e5m2 };

constexpr unsigned general_bits(GeneralElement element) {
  return element == GeneralElement::nibble ? 4 : element == GeneralElement::bit ? 1 : 8;
}

}  // namespace tilewright::emulator
