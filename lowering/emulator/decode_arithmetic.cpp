// Arithmetic and bit operations: operand widths, extra steps for rounding and saturation, and the
// modifiers each opcode may carry.
#include "emulator/decode.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator {
namespace {
using M = Modifier;

unsigned slot_bytes(Type type) { return bytes_of(type) == 8 ? 8 : 4; }

bool is_wide_product(const Form& form) { return form.has(M::wide); }

}  // namespace

bool Decoder::arithmetic() {
  switch (now_->form.opcode) {
    case Opcode::add:
    case Opcode::sub:
    case Opcode::mul:
    case Opcode::mad:
    case Opcode::fma:
    case Opcode::div:
    case Opcode::min:
    case Opcode::max:
    case Opcode::abs:
    case Opcode::neg:
      if (now_->form.type_count != 1) refuse();
      if (is_half(type())) {
        half_arithmetic();
      } else if (is_real(type())) {
        real_arithmetic();
      } else {
        integer_arithmetic();
      }
      return true;
    case Opcode::rem:
    case Opcode::sad:
    case Opcode::mul24:
    case Opcode::mad24:
    case Opcode::addc:
    case Opcode::subc:
    case Opcode::madc:
    case Opcode::dp4a:
    case Opcode::dp2a: integer_arithmetic(); return true;
    case Opcode::ex2:
    case Opcode::tanh:
      if (is_half(type())) {
        half_arithmetic();
      } else {
        real_arithmetic();
      }
      return true;
    case Opcode::rcp:
    case Opcode::sqrt:
    case Opcode::rsqrt:
    case Opcode::lg2:
    case Opcode::sin:
    case Opcode::cos:
    case Opcode::copysign: real_arithmetic(); return true;
    case Opcode::and_:
    case Opcode::or_:
    case Opcode::xor_:
    case Opcode::not_:
    case Opcode::cnot:
    case Opcode::lop3:
    case Opcode::popc:
    case Opcode::clz:
    case Opcode::brev:
    case Opcode::bfind: bit_operation(); return true;
    case Opcode::shl:
    case Opcode::shr:
    case Opcode::shf:
    case Opcode::bfe:
    case Opcode::bfi:
    case Opcode::prmt:
    case Opcode::bmsk:
    case Opcode::szext:
    case Opcode::fns: shift_like(); return true;
    default: return false;
  }
}

/// d and up to three sources of the statement's type.
void Decoder::plain(Handlers handlers, std::size_t sources) {
  expect_operands(sources + 1, sources + 1);
  const unsigned bytes = slot_bytes(type());
  Instruction made;
  made.a = source(1, bytes, type());
  made.b = sources > 1 ? source(2, bytes, type()) : made.a;
  made.c = sources > 2 ? source(3, bytes, type()) : made.a;
  made.d = destination(operand(0), bytes, is_signed(type()));
  emit(handlers, made);
}

void Decoder::integer_arithmetic() {
  const Form& form = now_->form;
  const Handlers handlers = variant_.integer(form);
  const Opcode opcode = form.opcode;
  allow({M::lo, M::hi, M::sat, M::cc});
  if (!handlers) refuse();
  if (opcode == Opcode::dp4a || opcode == Opcode::dp2a) {
    expect_operands(4, 4);
    Instruction made;
    made.a = source(1, 4);
    made.b = source(2, 4);
    made.c = source(3, 4);
    made.d = destination(operand(0), 4);
    made.flags =
        static_cast<std::uint16_t>((is_signed(form.types[0]) ? 1 : 0) |
                                   (is_signed(form.last()) ? 2 : 0) | (has(M::hi) ? 4 : 0));
    emit(handlers, made);
    return;
  }
  if (opcode == Opcode::add || opcode == Opcode::sub || opcode == Opcode::addc ||
      opcode == Opcode::subc) {
    allow({M::sat, M::cc});
  } else if (opcode == Opcode::mul || opcode == Opcode::mul24) {
    allow({M::lo, M::hi, M::wide});
  } else if (opcode == Opcode::mad || opcode == Opcode::mad24 || opcode == Opcode::madc) {
    allow({M::lo, M::hi, M::wide, M::cc, M::sat});
  } else {
    allow({});
  }
  if (has(M::sat) && has(M::lo)) refuse("'.sat' needs '.hi'");
  const bool three = opcode == Opcode::mad || opcode == Opcode::mad24 || opcode == Opcode::madc ||
                     opcode == Opcode::sad;
  const bool one = opcode == Opcode::abs || opcode == Opcode::neg;
  const bool carries =
      has(M::cc) || opcode == Opcode::addc || opcode == Opcode::subc || opcode == Opcode::madc;
  if (!carries && !is_wide_product(form)) {
    plain(handlers, three ? 3 : one ? 1 : 2);
    return;
  }
  expect_operands(three ? 4 : 3, three ? 4 : 3);
  const unsigned bytes = slot_bytes(type());
  const unsigned result = is_wide_product(form) && bytes_of(type()) == 4 ? 8 : bytes;
  Instruction made;
  made.a = source(1, bytes);
  made.b = source(2, bytes);
  made.c = three ? source(3, result) : made.a;
  made.d = destination(operand(0), result, is_signed(type()));
  if (carries) {
    if (bytes_of(type()) < 4 || has(M::wide)) refuse();
    const bool in = opcode == Opcode::addc || opcode == Opcode::subc || opcode == Opcode::madc;
    made.flags = static_cast<std::uint16_t>((in ? 1 : 0) | (has(M::cc) ? 2 : 0) |
                                            (is_signed(type()) ? 4 : 0));
  }
  emit(handlers, made);
}

void Decoder::emit_rounding(const Form& form, bool begin) {
  const std::uint16_t mode = form.has(M::rz) ? 1 : form.has(M::rm) ? 2 : form.has(M::rp) ? 3 : 0;
  if (mode == 0) return;
  // Unguarded on purpose: the pair must always run as a pair.
  Statement unguarded = *now_;
  unguarded.guard = -1;
  const Statement* before = now_;
  now_ = &unguarded;
  Instruction made;
  made.n = begin ? mode : 0;
  emit(control::set_rounding(), made);
  now_ = before;
}

void Decoder::emit_saturation(const Form& form, std::uint32_t d) {
  if (form.has(M::relu)) {
    emit_move(Move::relu_f16, d, d, static_cast<std::uint16_t>(half_flags(type())));
  }
  if (!form.has(M::sat)) return;
  if (is_half(type())) {
    emit_move(Move::saturate_f16, d, d, static_cast<std::uint16_t>(half_flags(type())));
  } else {
    emit_move(type() == Type::f64 ? Move::saturate_f64 : Move::saturate_f32, d, d);
  }
}

void Decoder::real_arithmetic() {
  const Form& form = now_->form;
  Handlers handlers = variant_.real(form);
  if (!handlers) handlers = variant_.approximate(form);
  std::size_t sources = 2;
  switch (form.opcode) {
    case Opcode::add:
    case Opcode::sub:
    case Opcode::mul: allow({M::rn, M::rz, M::rm, M::rp, M::ftz, M::sat}); break;
    case Opcode::mad:
    case Opcode::fma:
      allow({M::rn, M::rz, M::rm, M::rp, M::ftz, M::sat});
      sources = 3;
      break;
    case Opcode::div: allow({M::rn, M::rz, M::rm, M::rp, M::ftz, M::approx, M::full}); break;
    case Opcode::min:
    case Opcode::max: allow({M::ftz, M::nan}); break;
    case Opcode::copysign: allow({}); break;
    case Opcode::abs:
    case Opcode::neg:
      allow({M::ftz});
      sources = 1;
      break;
    default:
      allow({M::rn, M::rz, M::rm, M::rp, M::ftz, M::approx});
      sources = 1;
      break;
  }
  if (!handlers) refuse();
  emit_rounding(form, true);
  plain(handlers, sources);
  emit_rounding(form, false);
  if (has(M::sat)) emit_saturation(form, destination(operand(0), slot_bytes(type())));
}

std::uint32_t Decoder::half_flags(Type type) const {
  const bool brain = type == Type::bf16 || type == Type::bf16x2;
  const bool both = type == Type::f16x2 || type == Type::bf16x2;
  return (brain ? 1u : 0u) | (both ? 2u : 0u) | (has(M::ftz) ? 4u : 0u);
}

void Decoder::half_arithmetic() {
  const Form& form = now_->form;
  Handlers handlers = variant_.half(form);
  if (!handlers) handlers = variant_.approximate(form);
  std::size_t sources = 2;
  switch (form.opcode) {
    case Opcode::add:
    case Opcode::sub:
    case Opcode::mul: allow({M::rn, M::ftz, M::sat}); break;
    case Opcode::fma:
      allow({M::rn, M::ftz, M::sat, M::relu});
      sources = 3;
      break;
    case Opcode::min:
    case Opcode::max: allow({M::ftz, M::nan}); break;
    case Opcode::abs:
    case Opcode::neg:
      allow({M::ftz});
      sources = 1;
      break;
    default:
      allow({M::approx, M::ftz});
      sources = 1;
      break;
  }
  if (!handlers) refuse();
  expect_operands(sources + 1, sources + 1);
  Instruction made;
  made.a = source(1, 4);
  made.b = sources > 1 ? source(2, 4) : made.a;
  made.c = sources > 2 ? source(3, 4) : made.a;
  made.d = destination(operand(0), 4);
  made.flags = static_cast<std::uint16_t>(half_flags(type()));
  emit(handlers, made);
  emit_saturation(form, made.d);
}

void Decoder::bit_operation() {
  const Form& form = now_->form;
  allow({});
  if (type() == Type::pred) {
    const bool single = form.opcode == Opcode::not_;
    expect_operands(single ? 2 : 3, single ? 2 : 3);
    const Operand& second = operand(single ? 1 : 2);
    Instruction made;
    made.d = predicate(operand(0));
    made.a = predicate(operand(1));
    made.b = predicate(second);
    made.n = static_cast<std::uint16_t>((operand(1).negated ? 1 : 0) | (second.negated ? 2 : 0));
    made.flags = form.opcode == Opcode::and_   ? 0
                 : form.opcode == Opcode::or_  ? 1
                 : form.opcode == Opcode::xor_ ? 2
                                               : 3;
    emit(variant_.bitwise(form), made);
    return;
  }
  const unsigned bytes = slot_bytes(type());
  switch (form.opcode) {
    case Opcode::lop3: {
      expect_operands(5, 5);
      if (operand(4).kind != Operand::Kind::immediate) refuse("the truth table must be a number");
      Instruction made;
      made.a = source(1, 4);
      made.b = source(2, 4);
      made.c = source(3, 4);
      made.d = destination(operand(0), 4);
      made.immediate = operand(4).bits;
      emit(variant_.bitwise(form), made);
      return;
    }
    case Opcode::bfind: allow({M::shiftamt}); [[fallthrough]];
    case Opcode::popc:
    case Opcode::clz: {
      expect_operands(2, 2);
      Instruction made;
      made.a = source(1, bytes);
      made.d = destination(operand(0), 4);
      emit(variant_.bitwise(form), made);
      return;
    }
    case Opcode::not_:
    case Opcode::cnot:
    case Opcode::brev: plain(variant_.bitwise(form), 1); return;
    default: plain(variant_.bitwise(form), 2); return;
  }
}

/// Forms whose operands have mixed widths: amounts, positions and lengths are 32 bits wide.
void Decoder::shift_like() {
  const Form& form = now_->form;
  const unsigned bytes = slot_bytes(type());
  Instruction made;
  made.a = source(1, bytes);
  switch (form.opcode) {
    case Opcode::shl:
    case Opcode::shr:
      expect_operands(3, 3);
      made.b = source(2, 4);
      break;
    case Opcode::bfe:
      expect_operands(4, 4);
      made.b = source(2, 4);
      made.c = source(3, 4);
      break;
    case Opcode::bfi:
      expect_operands(5, 5);
      made.b = source(2, bytes);
      made.c = source(3, 4);
      made.e = source(4, 4);
      break;
    case Opcode::bmsk:
    case Opcode::szext:
      expect_operands(3, 3);
      allow({M::clamp, M::wrap});
      made.b = source(2, 4);
      made.flags = has(M::clamp) ? 1 : 0;
      made.n = form.opcode == Opcode::bmsk ? 0 : is_signed(type()) ? 1 : 2;
      break;
    default:  // shf, prmt, fns
      expect_operands(4, 4);
      allow({M::l, M::r, M::clamp, M::wrap, M::f4e, M::b4e, M::rc8, M::ecl, M::ecr, M::rc16});
      made.b = source(2, 4);
      made.c = source(3, 4);
      made.flags = has(M::clamp) ? 1 : 0;
      made.n = has(M::f4e)    ? 1
               : has(M::b4e)  ? 2
               : has(M::rc8)  ? 3
               : has(M::ecl)  ? 4
               : has(M::ecr)  ? 5
               : has(M::rc16) ? 6
                              : 0;
      break;
  }
  made.d = destination(operand(0), bytes, is_signed(type()));
  emit(variant_.bitwise(form), made);
}

}  // namespace tilewright::emulator
