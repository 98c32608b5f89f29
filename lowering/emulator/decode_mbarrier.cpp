// mbarrier statements of sm_80; those that came with sm_90 (try_wait, transactions, clusters) are
// refused by their modifiers.
#include "emulator/decode.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator {

bool Decoder::mbarrier_statement() {
  using M = Modifier;
  if (now_->form.opcode != Opcode::mbarrier) return false;
  if (type() != Type::b64 || now_->form.type_count != 1) refuse();
  Instruction made;
  program_->uses_order = true;
  const auto at = [&](std::size_t k) {
    const Address place = address(operand(k));
    made.a = place.offset;
    made.immediate = static_cast<std::uint64_t>(place.displacement);
    const bool shared = has(M::shared) || has(M::shared_cta);
    if (place.narrow && !shared) refuse("a 32-bit register is no generic address");
    made.flags = static_cast<std::uint16_t>((shared ? strong::shared_space : 0) |
                                            (place.narrow ? strong::narrow_address : 0));
  };
  if (has(M::pending_count)) {
    allow({M::pending_count});
    expect_operands(2, 2);
    made.b = source(1, 8);
    made.d = destination(operand(0), 4);
    emit(mbarrier::pending_count(), made);
    return true;
  }
  allow({M::shared, M::shared_cta});
  if (has(M::init)) {
    allow_more({M::init});
    expect_operands(2, 2);
    at(0);
    made.b = source(1, 4);
    made.n = mbarrier::counted;
    emit(mbarrier::init(), made);
  } else if (has(M::inval)) {
    allow_more({M::inval});
    expect_operands(1, 1);
    at(0);
    emit(mbarrier::invalidate(), made);
  } else if (has(M::arrive) || has(M::arrive_drop)) {
    allow_more({M::arrive, M::arrive_drop, M::no_complete, M::release, M::cta});
    expect_operands(2, 3);
    at(1);
    made.flags |= strong::releases | strong::block_scope;
    made.n = static_cast<std::uint16_t>((has(M::arrive_drop) ? mbarrier::drops : 0) |
                                        (has(M::no_complete) ? mbarrier::never_completes : 0));
    if (now_->operands.size() == 3) {
      made.n |= mbarrier::counted;
      made.b = source(2, 4);
    } else if (has(M::no_complete)) {
      refuse("operand 3 is missing");
    }
    if (operand(0).kind != Operand::Kind::sink) {
      made.n |= mbarrier::returns_state;
      made.d = destination(operand(0), 8);
    }
    emit(mbarrier::arrive(), made);
  } else if (has(M::test_wait)) {
    allow_more({M::test_wait, M::parity, M::acquire, M::cta});
    expect_operands(3, 3);
    at(1);
    made.d = predicate(operand(0));
    made.n = has(M::parity) ? mbarrier::by_parity : 0;
    made.b = source(2, has(M::parity) ? 4 : 8);
    emit(mbarrier::test(), made);
  } else {
    refuse();
  }
  return true;
}

}  // namespace tilewright::emulator
