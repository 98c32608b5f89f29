// The addition and the load stand side by side, so the addition's operand still has its value and
// its register. An address of ldmatrix wraps at 32 bits, as the addition does.
#include "emulator/ptx_fold.hpp"

#include "emulator/cfg.hpp"

namespace tilewright::emulator {
namespace {

bool is_register(const Operand& operand) { return operand.kind == Operand::Kind::virtual_register; }

/// d = a + constant in 32 bits, for all lanes.
bool adds_constant(const Statement& at) {
  const Form& form = at.form;
  return form.opcode == Opcode::add && at.guard < 0 && at.operands.size() == 3 &&
         form.type_count == 1 && (form.last() == Type::s32 || form.last() == Type::u32) &&
         !form.modifiers.outside({}) && is_register(at.operands[0]) &&
         is_register(at.operands[1]) && at.operands[2].kind == Operand::Kind::immediate &&
         at.operands[2].float_bytes == 0;
}

/// The address of an ldmatrix for all lanes, null for anything else.
Operand* matrix_address(Statement& at) {
  if (at.label >= 0 || at.form.opcode != Opcode::ldmatrix || at.guard >= 0) return nullptr;
  if (at.operands.size() != 2) return nullptr;
  Operand& address = at.operands[1];
  const bool in_register =
      address.kind == Operand::Kind::address && address.base == Operand::Base::virtual_register;
  return in_register ? &address : nullptr;
}

void fold_addresses(Function& function) {
  std::vector<unsigned> reads(function.registers.size(), 0);
  for (const Statement& statement : function.body) {
    for (const int reg : uses_of(statement).reads) ++reads[static_cast<std::size_t>(reg)];
  }
  const auto is_word = [&](int reg) {
    return function.register_bytes[static_cast<std::size_t>(reg)] == 4;
  };
  for (std::size_t k = 0; k + 1 < function.body.size(); ++k) {
    Statement& sum = function.body[k];
    Operand* address = matrix_address(function.body[k + 1]);
    if (sum.label >= 0 || address == nullptr || !adds_constant(sum)) continue;
    const int written = sum.operands[0].reg, base = sum.operands[1].reg;
    if (address->reg != written || reads[static_cast<std::size_t>(written)] != 1) continue;
    if (!is_word(written) || !is_word(base)) continue;
    address->reg = base;
    address->offset += static_cast<std::int32_t>(static_cast<std::uint32_t>(sum.operands[2].bits));
    sum.folded = true;
  }
}

}  // namespace

void fold_addresses(ModuleText& module) {
  for (Function& function : module.entries) fold_addresses(function);
}

}  // namespace tilewright::emulator
