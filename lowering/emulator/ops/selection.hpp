// From a PTX type to the handler instantiated for it. `of_bits` is for operations that do not care
// about the sign, `of_signed` for those that do. Also declares this variant's look-up functions.
#pragma once

#include "emulator/ops/lanes.hpp"
#include "emulator/ops/variant.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {

template <template <class, class> class Shape, class Op>
Handlers of_bits(Type type) {
  switch (type) {
    case Type::b16:
    case Type::u16:
    case Type::s16: return handlers<Shape<u16, Op>>();
    case Type::b32:
    case Type::u32:
    case Type::s32: return handlers<Shape<u32, Op>>();
    case Type::b64:
    case Type::u64:
    case Type::s64: return handlers<Shape<u64, Op>>();
    default: return {};
  }
}

template <template <class, class> class Shape, class Op>
Handlers of_signed(Type type) {
  switch (type) {
    case Type::s16: return handlers<Shape<s16, Op>>();
    case Type::s32: return handlers<Shape<s32, Op>>();
    case Type::s64: return handlers<Shape<s64, Op>>();
    default: return of_bits<Shape, Op>(type);
  }
}

Handlers integer(const Form& form);
Handlers bitwise(const Form& form);
Handlers real(const Form& form);
Handlers half(const Form& form);
Handlers approximate(const Form& form);
Handlers compare(const Form& form);
Handlers convert(Type to, Type from, const Form& form);
Handlers move(Move which);
Handlers memory(const MemoryForm& form);
Handlers shuffle(const Form& form);
Handlers matrix(const Form& form, unsigned count);
Handlers mma(const Form& form);
Handlers mma_general(const Form& form);
void leave();

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
