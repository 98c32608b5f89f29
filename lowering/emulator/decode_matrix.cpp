// Operands of the mma.sync forms that ops/mma_general.cpp executes; the others are decoded in
// decode_control.cpp.
#include <algorithm>
#include <optional>

#include "emulator/decode.hpp"
#include "emulator/ops/mma_general.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator {
namespace {
using M = Modifier;

struct GeneralShape {
  M word;
  unsigned rows, depth;
  GeneralElement element;
};
constexpr GeneralShape shapes[] = {
    {M::m8n8k16, 8, 16, GeneralElement::byte},     {M::m8n8k32, 8, 32, GeneralElement::nibble},
    {M::m16n8k32, 16, 32, GeneralElement::nibble}, {M::m16n8k64, 16, 64, GeneralElement::nibble},
    {M::m8n8k128, 8, 128, GeneralElement::bit},    {M::m16n8k128, 16, 128, GeneralElement::bit},
    {M::m16n8k256, 16, 256, GeneralElement::bit},  {M::m16n8k32, 16, 32, GeneralElement::e4m3},
};

std::optional<GeneralElement> element_of(Type type) {
  switch (type) {
    case Type::s8:
    case Type::u8: return GeneralElement::byte;
    case Type::s4:
    case Type::u4: return GeneralElement::nibble;
    case Type::b1: return GeneralElement::bit;
    case Type::e4m3:
    case Type::e5m2: return GeneralElement::e4m3;
    default: return std::nullopt;
  }
}

bool second_kind(Type type) { return type == Type::s8 || type == Type::s4 || type == Type::e5m2; }

}  // namespace

bool Decoder::general_matrix_multiply() {
  const Form& form = now_->form;
  if (form.type_count != 4) return false;
  const Type a = form.types[1], b = form.types[2];
  const bool real = form.types[0] == Type::f32 && form.types[3] == Type::f32;
  const bool integer = form.types[0] == Type::s32 && form.types[3] == Type::s32;
  Instruction made;
  std::size_t expected[4];
  unsigned bytes = 4;
  if (has(M::m8n8k4) && form.types[0] == Type::f64) {
    if (a != Type::f64 || b != Type::f64 || form.types[3] != Type::f64) return false;
    const std::size_t registers[] = {2, 1, 1, 2};
    std::copy_n(registers, 4, expected);
    bytes = 8;
    allow({M::sync, M::aligned, M::m8n8k4, M::row, M::col});
  } else {
    const auto element = element_of(a);
    if (!element || element_of(b) != element) return false;
    const GeneralShape* found = nullptr;
    for (const GeneralShape& shape : shapes) {
      if (has(shape.word) && shape.element == *element) found = &shape;
    }
    if (found == nullptr || (*element == GeneralElement::e4m3 ? !real : !integer)) return false;
    const unsigned bits = general_bits(*element);
    const std::size_t registers[] = {found->rows / 4, found->rows * found->depth * bits / 1024,
                                     8 * found->depth * bits / 1024, found->rows / 4};
    std::copy_n(registers, 4, expected);
    made.n = static_cast<std::uint16_t>(found->rows);
    made.c = found->depth;
    made.e = static_cast<std::uint32_t>(*element) | (second_kind(a) ? 16u : 0u) |
             (second_kind(b) ? 32u : 0u) | (has(M::and_) ? 64u : 0u);
    made.flags = has(M::satfinite) ? 2 : 0;
    allow({M::sync, M::aligned, found->word, M::row, M::col});
    if (*element == GeneralElement::byte || *element == GeneralElement::nibble)
      allow_more({M::satfinite});
    if (*element == GeneralElement::bit) {
      allow_more({M::and_, M::xor_, M::popc});
      if (!has(M::popc) || has(M::and_) == has(M::xor_)) refuse();
    }
  }
  if (!has(M::row) || !has(M::col)) refuse();
  expect_operands(4, 4);
  std::vector<std::uint32_t> offsets;
  for (std::size_t which = 0; which < 4; ++which) {
    const auto part = elements(operand(which), bytes, which == 0);
    if (part.size() != expected[which]) {
      refuse("operand " + std::to_string(which + 1) + " needs " + std::to_string(expected[which]) +
             " registers");
    }
    offsets.insert(offsets.end(), part.begin(), part.end());
  }
  made.list = list(offsets);
  last_a_.clear();
  emit(variant_.mma_general(form), made);
  return true;
}

}  // namespace tilewright::emulator
