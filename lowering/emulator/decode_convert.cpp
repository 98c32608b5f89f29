// mov, cvt, cvta, isspacep, and the comparisons. A conversion without a handler of its own goes
// through f32 or f64 where that loses nothing; `set` and `slct` are a setp and a selp.
#include "emulator/decode.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator {
namespace {
using M = Modifier;

unsigned slot_bytes(Type type) { return bytes_of(type) == 8 ? 8 : 4; }

bool single_half(Type type) { return type == Type::f16 || type == Type::bf16; }

bool to_whole(const Form& form) {
  return form.has(M::rni) || form.has(M::rzi) || form.has(M::rmi) || form.has(M::rpi);
}

/// The rounding code of ops/convert.cpp.
std::uint16_t rounding_code(const Form& form) {
  if (form.has(M::rzi) || form.has(M::rz)) return 1;
  if (form.has(M::rmi) || form.has(M::rm)) return 2;
  if (form.has(M::rpi) || form.has(M::rp)) return 3;
  return form.has(M::rna) ? 4 : 0;
}

bool exchanges_operands(const Form& form) {
  for (const M relation : {M::gt, M::ge, M::hi, M::hs, M::gtu, M::geu}) {
    if (form.has(relation)) return true;
  }
  return false;
}

}  // namespace

bool Decoder::conversion() {
  switch (now_->form.opcode) {
    case Opcode::mov: move_statement(); return true;
    case Opcode::cvt: convert_statement(); return true;
    case Opcode::cvta: address_conversion(); return true;
    case Opcode::isspacep: window_test(); return true;
    case Opcode::setp:
    case Opcode::selp:
    case Opcode::testp: compare_statement(); return true;
    case Opcode::set:
    case Opcode::slct: set_statement(); return true;
    default: return false;
  }
}

void Decoder::move_statement() {
  allow({});
  expect_operands(2, 2);
  if (type() == Type::none) refuse();
  const Operand &to = operand(0), &from = operand(1);
  Instruction made;
  if (type() == Type::pred) {
    made.d = predicate(to);
    made.a = predicate(from);
    emit(variant_.move(Move::copy_predicate), made);
    return;
  }
  if (to.kind == Operand::Kind::vector || from.kind == Operand::Kind::vector) {
    pack_or_unpack();
    return;
  }
  const unsigned bytes = slot_bytes(type());
  made.d = destination(to, bytes, is_signed(type()));
  if (from.kind == Operand::Kind::special) {
    switch (from.special) {
      case SpecialRegister::clock_hi:
      case SpecialRegister::globaltimer_hi: made.flags = 2; [[fallthrough]];
      case SpecialRegister::clock:
      case SpecialRegister::clock64:
      case SpecialRegister::globaltimer:
      case SpecialRegister::globaltimer_lo:
        if (bytes == 8) made.flags = 1;
        emit(control::clock(), made);
        return;
      default: break;
    }
  }
  made.a = source(from, bytes, type());
  emit(variant_.move(bytes == 8 ? Move::copy_wide : Move::copy_narrow), made);
}

void Decoder::pack_or_unpack() {
  const bool pack = operand(1).kind == Operand::Kind::vector;
  const Operand& vector = operand(pack ? 1 : 0);
  const std::size_t count = vector.elements.size();
  const unsigned width = 8 * bytes_of(type()) / static_cast<unsigned>(count);
  Move move = Move::pack_16;
  switch (8 * bytes_of(type()) * 10 + count) {
    case 642: move = pack ? Move::pack_32 : Move::unpack_32; break;
    case 644: move = pack ? Move::pack_4x16 : Move::unpack_4x16; break;
    case 322: move = pack ? Move::pack_16 : Move::unpack_16; break;
    case 324:
    case 162: move = pack ? Move::pack_bytes : Move::unpack_bytes; break;
    default: refuse(std::to_string(count) + " elements of " + std::to_string(width) + " bits");
  }
  const unsigned bytes = slot_bytes(type());
  Instruction made;
  made.n = static_cast<std::uint16_t>(count);
  made.list = list(elements(vector, 4, !pack));
  if (pack) {
    made.d = destination(operand(0), bytes);
  } else {
    made.a = source(1, bytes);
  }
  emit(variant_.move(move), made);
}

/// One conversion step into a new place, or into `d` of the statement when it is the last.
std::uint32_t Decoder::converted(std::uint32_t from, Type to, Type source, const Form& form,
                                 bool last) {
  Instruction made;
  made.a = from;
  made.b = from;
  made.n = rounding_code(form);
  made.flags = form.has(M::ftz) ? 1 : 0;
  made.d = last ? destination(operand(0), slot_bytes(to), is_signed(to)) : scratch(slot_bytes(to));
  emit(variant_.convert(to, source, form), made);
  return made.d;
}

void Decoder::convert_statement() {
  const Form& form = now_->form;
  if (form.type_count != 2) refuse();
  const Type to = form.types[0];
  Type from = form.types[1];
  allow({M::rn, M::rz, M::rm, M::rp, M::rna, M::rni, M::rzi, M::rmi, M::rpi, M::ftz, M::sat,
         M::relu});
  if (to == Type::f16x2 || to == Type::bf16x2) {
    if (from != Type::f32) refuse();
    expect_operands(3, 3);
    Instruction made;
    made.a = source(1, 4, from);
    made.b = source(2, 4, from);
    made.n = rounding_code(form);
    if (made.n > 1) refuse("only .rn and .rz");
    made.d = destination(operand(0), 4);
    emit(variant_.convert(to, from, form), made);
    if (form.has(M::relu)) {
      emit_move(Move::relu_f16, made.d, made.d, to == Type::bf16x2 ? 3 : 2);
    }
    return;
  }
  expect_operands(2, 2);
  if (is_half(to) && rounding_code(form) > 1 && !to_whole(form)) refuse("only .rn and .rz");
  const Form plain;
  std::uint32_t value = source(1, slot_bytes(from), from);
  if (single_half(from)) {
    const bool done = to == Type::f32;
    value = converted(value, Type::f32, from, plain, done);
    from = Type::f32;
    if (done) {
      if (form.has(M::ftz)) emit_move(Move::flush_narrow, value, value);
      if (form.has(M::sat)) emit_move(Move::saturate_f32, value, value);
      return;
    }
  } else if (from == Type::f32 && form.has(M::ftz)) {
    const std::uint32_t flushed = scratch(4);
    emit_move(Move::flush_narrow, flushed, value);
    value = flushed;
  }
  if (single_half(to)) {
    if (!is_real(from) && bytes_of(from) < 8) {  // exact in f64
      value = converted(value, Type::f64, from, plain, false);
      from = Type::f64;
    }
    if (to_whole(form) && is_real(from)) value = converted(value, from, from, form, false);
    Form narrow = form;
    if (to_whole(form)) narrow = plain;
    value = converted(value, to, from, narrow, true);
    const std::uint16_t brain = to == Type::bf16 ? 1 : 0;
    if (form.has(M::sat)) emit_move(Move::saturate_f16, value, value, brain);
    if (form.has(M::relu)) emit_move(Move::relu_f16, value, value, brain);
    return;
  }
  const bool rounds = is_real(to) && to != from && to != Type::tf32;
  if (is_real(to) && to == from && !to_whole(form)) {  // cvt.sat.f32.f32 and the like
    value = [&] {
      const std::uint32_t d = destination(operand(0), slot_bytes(to));
      emit_move(slot_bytes(to) == 8 ? Move::copy_wide : Move::copy_narrow, d, value);
      return d;
    }();
  } else {
    if (rounds) emit_rounding(form, true);
    value = converted(value, to, from, form, true);
    if (rounds) emit_rounding(form, false);
    if (to == Type::f32 && form.has(M::ftz)) emit_move(Move::flush_narrow, value, value);
  }
  if (form.has(M::sat) && is_real(to)) {
    emit_move(to == Type::f64 ? Move::saturate_f64 : Move::saturate_f32, value, value);
  }
}

void Decoder::address_conversion() {
  allow(
      {M::to, M::global, M::shared, M::shared_cta, M::local, M::const_, M::param, M::param_entry});
  expect_operands(2, 2);
  if (bytes_of(type()) != 8) refuse("addresses have 64 bits");
  Instruction made;
  made.a = source(1, 8);
  made.d = destination(operand(0), 8);
  const bool shared = has(M::shared) || has(M::shared_cta);
  const bool windowed = shared || has(M::local) || has(M::param) || has(M::param_entry);
  if (!windowed) {
    emit(variant_.move(Move::copy_wide), made);
    return;
  }
  if (has(M::to)) {
    made.flags = 1;  // the low 32 bits are the offset in the window
  } else {
    made.immediate = shared ? shared_window : has(M::local) ? local_window : parameter_window;
  }
  emit(variant_.move(Move::or_wide), made);
}

void Decoder::window_test() {
  allow({M::global, M::shared, M::shared_cta, M::local, M::const_, M::param, M::param_entry});
  expect_operands(2, 2);
  Instruction made;
  made.a = source(1, 8);
  made.d = predicate(operand(0));
  // Constants live in global memory here, so nothing is in a window of its own for them.
  made.immediate = has(M::global)                         ? 0
                   : has(M::shared) || has(M::shared_cta) ? shared_window >> window_shift
                   : has(M::local)                        ? local_window >> window_shift
                   : has(M::const_)                       ? 0xff
                                                          : parameter_window >> window_shift;
  emit(variant_.move(Move::in_window), made);
}

void Decoder::compare_statement() {
  const Form& form = now_->form;
  const unsigned bytes = slot_bytes(type());
  Instruction made;
  if (form.opcode == Opcode::selp) {
    allow({});
    expect_operands(4, 4);
    made.a = source(1, bytes, type());
    made.b = source(2, bytes, type());
    made.c = predicate(operand(3));
    made.flags = operand(3).negated ? 1 : 0;
    made.d = destination(operand(0), bytes, is_signed(type()));
  } else if (form.opcode == Opcode::testp) {
    allow({M::finite, M::infinite, M::number, M::notanumber, M::normal, M::subnormal});
    expect_operands(2, 2);
    if (type() != Type::f32 && type() != Type::f64) refuse();
    made.a = source(1, bytes, type());
    made.d = predicate(operand(0));
    made.n = has(M::finite)       ? 0
             : has(M::infinite)   ? 1
             : has(M::number)     ? 2
             : has(M::notanumber) ? 3
             : has(M::normal)     ? 4
                                  : 5;
  } else {
    allow({M::eq,  M::ne,     M::lt,  M::le,   M::gt,  M::ge,  M::lo,  M::ls,
           M::hi,  M::hs,     M::equ, M::neu,  M::ltu, M::leu, M::gtu, M::geu,
           M::num, M::is_nan, M::ftz, M::and_, M::or_, M::xor_});
    const bool combines = has(M::and_) || has(M::or_) || has(M::xor_);
    expect_operands(combines ? 4 : 3, combines ? 4 : 3);
    const bool exchange = exchanges_operands(form);
    made.a = source(exchange ? 2 : 1, bytes, type());
    made.b = source(exchange ? 1 : 2, bytes, type());
    made.d = predicate(operand(0));
    made.e = predicate_pair(operand(0));
    made.n = static_cast<std::uint16_t>(half_flags(type()) & 3);
    if (combines) {
      made.c = predicate(operand(3));
      made.flags = static_cast<std::uint16_t>((has(M::and_)  ? 1
                                               : has(M::or_) ? 2
                                                             : 3) |
                                              (operand(3).negated ? 8 : 0));
    }
  }
  emit(variant_.compare(form), made);
}

// set: all ones or 1.0 where the relation holds; slct: a where c >= 0, else b. Both through a
// predicate of their own, which lives only inside the statement.
void Decoder::set_statement() {
  const Form& form = now_->form;
  if (form.type_count != 2) refuse();
  const Type result = form.types[0], compared = form.types[1];
  const std::uint32_t first = allocation_.predicates, second = first + 1;
  program_->predicates = second + 1;
  Form relation;
  relation.opcode = Opcode::setp;
  relation.types[0] = compared;
  relation.type_count = 1;
  Instruction test, choose;
  test.d = first;
  const unsigned bytes = slot_bytes(compared);
  if (form.opcode == Opcode::slct) {
    allow({M::ftz});
    expect_operands(4, 4);
    if (compared != Type::s32 && compared != Type::f32) refuse();
    relation.modifiers.insert(M::ge);
    if (has(M::ftz)) relation.modifiers.insert(M::ftz);
    test.a = constant(0, bytes);
    test.b = source(3, bytes, compared);
    emit(variant_.compare(relation), test);
    choose.a = source(1, slot_bytes(result), result);
    choose.b = source(2, slot_bytes(result), result);
  } else {
    allow({M::eq,  M::ne,     M::lt,  M::le,   M::gt,  M::ge,  M::lo,  M::ls,
           M::hi,  M::hs,     M::equ, M::neu,  M::ltu, M::leu, M::gtu, M::geu,
           M::num, M::is_nan, M::ftz, M::and_, M::or_, M::xor_});
    const bool combines = has(M::and_) || has(M::or_) || has(M::xor_);
    expect_operands(combines ? 4 : 3, combines ? 4 : 3);
    relation.modifiers = form.modifiers;
    const bool exchange = exchanges_operands(form);
    test.a = source(exchange ? 2 : 1, bytes, compared);
    test.b = source(exchange ? 1 : 2, bytes, compared);
    const bool both = compared == Type::f16x2 || compared == Type::bf16x2;
    test.e = both ? second : sink_predicate;
    test.n = static_cast<std::uint16_t>(half_flags(compared) & 3);
    if (combines) {
      test.c = predicate(operand(3));
      test.flags = static_cast<std::uint16_t>((has(M::and_)  ? 1
                                               : has(M::or_) ? 2
                                                             : 3) |
                                              (operand(3).negated ? 8 : 0));
    }
    emit(variant_.compare(relation), test);
    const std::uint64_t one = result == Type::f32                              ? 0x3f800000u
                              : result == Type::f16 || result == Type::f16x2   ? 0x3c00u
                              : result == Type::bf16 || result == Type::bf16x2 ? 0x3f80u
                              : bytes_of(result) == 2 || both                  ? 0xffffu
                                                                               : 0xffffffffu;
    choose.a = constant(one, 4);
    choose.b = constant(0, 4);
    if (both) {
      Form select;
      select.opcode = Opcode::selp;
      select.types[0] = Type::b32;
      select.type_count = 1;
      const std::uint32_t low = scratch(4), high = scratch(4);
      choose.d = low;
      choose.c = first;
      emit(variant_.compare(select), choose);
      choose.d = high;
      choose.c = second;
      emit(variant_.compare(select), choose);
      Instruction pack;
      pack.n = 2;
      pack.list = list({low, high});
      pack.d = destination(operand(0), 4);
      emit(variant_.move(Move::pack_16), pack);
      return;
    }
  }
  Form select;
  select.opcode = Opcode::selp;
  select.types[0] = slot_bytes(result) == 8 ? Type::b64 : Type::b32;
  select.type_count = 1;
  choose.c = first;
  choose.d = destination(operand(0), slot_bytes(result), is_signed(result));
  emit(variant_.compare(select), choose);
}

}  // namespace tilewright::emulator
