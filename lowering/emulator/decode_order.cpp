// What an access orders: strong loads and stores, and plain loads that count as strong because all
// they do is give a compare-and-swap its first guess.
#include <set>
#include <tuple>

#include "emulator/decode.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator {
namespace {
using M = Modifier;

using Place = std::tuple<int, int, std::int64_t>;  ///< base register or variable, offset

Place place_of(const Operand& operand) {
  return {operand.reg, operand.base == Operand::Base::variable ? operand.variable : -1,
          operand.offset};
}

bool is_register(const Operand& operand) { return operand.kind == Operand::Kind::virtual_register; }

}  // namespace

bool Decoder::is_strong(const Form& form) {
  return form.has(M::volatile_) || form.has(M::relaxed) || form.has(M::acquire) ||
         form.has(M::release) || form.has(M::mmio);
}

std::uint16_t Decoder::order_flags(const Form& form) {
  const bool both = form.has(M::acq_rel) || form.has(M::sc);
  return static_cast<std::uint16_t>((both || form.has(M::acquire) ? strong::acquires : 0) |
                                    (both || form.has(M::release) ? strong::releases : 0) |
                                    (form.has(M::cta) ? strong::block_scope : 0));
}

/// Emits `made`, whose address, count and list are set, as a strong access.
void Decoder::strong_access(Instruction made, bool store, bool shared, bool narrow) {
  const Form& form = now_->form;
  made.c = bytes_of(type());
  made.flags = static_cast<std::uint16_t>(order_flags(form) | (shared ? strong::shared_space : 0) |
                                          (narrow ? strong::narrow_address : 0) |
                                          (is_signed(type()) ? strong::extends_sign : 0));
  program_->uses_order = true;
  program_->waits_for_blocks |= !store && !shared;
  emit(store ? strong::store() : strong::load(), made);
}

// CUDA's own headers, and many programs, read a word plainly, compute, and swap if it is unchanged.
// The swap checks what was read, so such a read races with nothing that matters. It is recognised
// by its register: the swap compares the word at the same address with it, directly or after moves.
void Decoder::find_guesses() {
  std::set<std::pair<int, int>> moves;
  std::set<std::tuple<int, Place>> compared;
  for (const Statement& statement : function_.body) {
    if (statement.label >= 0 || statement.operands.size() < 2) continue;
    const Opcode opcode = statement.form.opcode;
    if (opcode == Opcode::mov && is_register(statement.operands[0]) &&
        is_register(statement.operands[1])) {
      moves.emplace(statement.operands[1].reg, statement.operands[0].reg);
    }
    if (opcode == Opcode::atom && statement.form.has(M::cas) && statement.operands.size() >= 4 &&
        is_register(statement.operands[2])) {
      compared.emplace(statement.operands[2].reg, place_of(statement.operands[1]));
    }
  }
  if (compared.empty()) return;
  for (const Statement& statement : function_.body) {
    if (statement.label >= 0 || statement.form.opcode != Opcode::ld) continue;
    const Operand& to = statement.operands[0];
    if (!is_register(to)) continue;
    const Place place = place_of(statement.operands[1]);
    bool guess = compared.count({to.reg, place}) != 0;
    for (auto move = moves.lower_bound({to.reg, -1}); move != moves.end() && move->first == to.reg;
         ++move) {
      guess |= compared.count({move->second, place}) != 0;
    }
    if (guess) guesses_.insert(&statement);
  }
}

}  // namespace tilewright::emulator
