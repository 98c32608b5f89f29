// Operands of the instructions in ops/packed.hpp.
#include <optional>

#include "emulator/decode.hpp"
#include "emulator/ops/packed.hpp"

namespace tilewright::emulator {
namespace {
using M = Modifier;

struct VideoForm {
  packed::Video operation;
  bool bytes;
};

std::optional<VideoForm> video_form(Opcode opcode) {
  using packed::Video;
  switch (opcode) {
    case Opcode::vadd2: return VideoForm{Video::add, false};
    case Opcode::vadd4: return VideoForm{Video::add, true};
    case Opcode::vsub2: return VideoForm{Video::subtract, false};
    case Opcode::vsub4: return VideoForm{Video::subtract, true};
    case Opcode::vavrg2: return VideoForm{Video::average, false};
    case Opcode::vavrg4: return VideoForm{Video::average, true};
    case Opcode::vabsdiff2: return VideoForm{Video::distance, false};
    case Opcode::vabsdiff4: return VideoForm{Video::distance, true};
    case Opcode::vmin2: return VideoForm{Video::least, false};
    case Opcode::vmin4: return VideoForm{Video::least, true};
    case Opcode::vmax2: return VideoForm{Video::most, false};
    case Opcode::vmax4: return VideoForm{Video::most, true};
    default: return std::nullopt;
  }
}

bool is_fp8(Type type) { return type == Type::e4m3x2 || type == Type::e5m2x2; }

}  // namespace

bool Decoder::packed_operation() {
  const Form& form = now_->form;
  if (const auto video = video_form(form.opcode)) {
    allow({M::sat, M::add});
    if (form.type_count != 3 || (has(M::sat) && has(M::add))) refuse();
    for (unsigned k = 0; k < 3; ++k) {
      if (form.types[k] != Type::u32 && form.types[k] != Type::s32) refuse();
    }
    expect_operands(4, 4);
    Instruction made;
    made.a = source(1, 4);
    made.b = source(2, 4);
    made.c = source(3, 4);
    made.d = destination(operand(0), 4);
    made.n = static_cast<std::uint16_t>(video->operation);
    made.flags = static_cast<std::uint16_t>(
        (video->bytes ? packed::bytes : 0) | (is_signed(form.types[1]) ? packed::signed_a : 0) |
        (is_signed(form.types[2]) ? packed::signed_b : 0) |
        (is_signed(form.types[0]) ? packed::signed_d : 0) | (has(M::sat) ? packed::saturate : 0) |
        (has(M::add) ? packed::accumulate : 0));
    emit(packed::video(), made);
    return true;
  }
  if (form.opcode == Opcode::cvt && has(M::pack)) {
    pack_conversion();
    return true;
  }
  if (form.opcode == Opcode::cvt && (is_fp8(form.types[0]) || is_fp8(form.types[1]))) {
    fp8_conversion();
    return true;
  }
  const bool extreme = form.opcode == Opcode::min || form.opcode == Opcode::max;
  if (!extreme || !has(M::xorsign)) return false;
  allow({M::xorsign, M::abs, M::nan, M::ftz});
  expect_operands(3, 3);
  if (!has(M::abs) || form.type_count != 1 || (type() != Type::f32 && !is_half(type()))) refuse();
  Instruction made;
  made.a = source(1, 4, type());
  made.b = source(2, 4, type());
  made.d = destination(operand(0), 4);
  made.n = static_cast<std::uint16_t>(type() == Type::f32 ? 8 : half_flags(type()) & 3);
  made.flags = static_cast<std::uint16_t>((form.opcode == Opcode::max ? 1 : 0) |
                                          (has(M::nan) ? 2 : 0) | (has(M::ftz) ? 4 : 0));
  emit(packed::magnitude(), made);
  return true;
}

// cvt.pack.sat.{u16,s16}.s32 d, a, b; cvt.pack.sat.{u8,s8,u4,s4,u2,s2}.s32.b32 d, a, b, c.
void Decoder::pack_conversion() {
  const Form& form = now_->form;
  allow({M::pack, M::sat});
  const Type to = form.types[0];
  const bool halves = to == Type::u16 || to == Type::s16;
  const unsigned bits = halves                             ? 16
                        : to == Type::u8 || to == Type::s8 ? 8
                        : to == Type::u4 || to == Type::s4 ? 4
                        : to == Type::u2 || to == Type::s2 ? 2
                                                           : 0;
  const bool rest = form.type_count == 3 && form.types[2] == Type::b32;
  if (bits == 0 || !has(M::sat) || form.types[1] != Type::s32 || rest == halves ||
      form.type_count != (halves ? 2 : 3)) {
    refuse();
  }
  expect_operands(halves ? 3 : 4, halves ? 3 : 4);
  Instruction made;
  made.a = source(1, 4);
  made.b = source(2, 4);
  made.c = halves ? made.a : source(3, 4);
  made.d = destination(operand(0), 4);
  made.n = static_cast<std::uint16_t>(bits);
  made.flags = to == Type::s16 || to == Type::s8 || to == Type::s4 || to == Type::s2 ? 1 : 0;
  emit(packed::pack(), made);
}

void Decoder::fp8_conversion() {
  const Form& form = now_->form;
  if (form.type_count != 2 || !has(M::rn)) refuse();
  const Type to = form.types[0], from = form.types[1];
  Instruction made;
  if (has(M::relu)) made.flags |= packed::relu;
  if (is_fp8(to)) {
    allow({M::rn, M::satfinite, M::relu});
    const bool halves = from == Type::f16x2;
    if (!has(M::satfinite) || (!halves && from != Type::f32)) refuse();
    expect_operands(halves ? 2 : 3, halves ? 2 : 3);
    made.a = source(1, 4, from);
    made.b = halves ? made.a : source(2, 4, from);
    if (to == Type::e5m2x2) made.flags |= packed::e5m2;
    if (halves) made.flags |= packed::from_halves;
    made.d = destination(operand(0), 4);
    emit(packed::to_fp8(), made);
    return;
  }
  allow({M::rn, M::relu});
  expect_operands(2, 2);
  if (to != Type::f16x2) refuse();
  made.a = source(1, 4);
  made.d = destination(operand(0), 4);
  if (from == Type::e5m2x2) made.flags |= packed::e5m2;
  emit(packed::from_fp8(), made);
}

}  // namespace tilewright::emulator
