// Where a kernel's variables lie (see Layout): shared ones that it mentions behind one another in
// the window, dynamic shared memory behind those, local ones in each thread's own memory.
#include <algorithm>

#include "emulator/decode.hpp"
#include "emulator/engine.hpp"

namespace tilewright::emulator {
namespace {

std::uint64_t round_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

void mentioned(const Operand& operand, std::vector<char>& seen) {
  if (operand.variable >= 0 && operand.kind != Operand::Kind::parameter &&
      operand.base != Operand::Base::parameter) {
    seen[static_cast<std::size_t>(operand.variable)] = 1;
  }
  for (const Operand& element : operand.elements) mentioned(element, seen);
}

}  // namespace

Layout lay_out(const ModuleText& module, const Function& function,
               const std::vector<std::uint64_t>& global_addresses) {
  const std::size_t first = static_cast<std::size_t>(function.first_variable);
  const std::size_t count = first + function.variables.size();
  std::vector<char> seen(count, 0);
  for (const Statement& statement : function.body) {
    for (const Operand& operand : statement.operands) mentioned(operand, seen);
  }
  Layout layout;
  layout.address.assign(count, 0);
  std::uint64_t shared = shared_base, local = 0;
  std::uint32_t dynamic_alignment = 16;
  for (std::size_t k = 0; k < count; ++k) {
    const Variable& variable = k < first ? module.variables[k] : function.variables[k - first];
    if (variable.space == Space::global || variable.space == Space::constant) {
      layout.address[k] = global_addresses[k];
    } else if (variable.space == Space::local) {
      layout.address[k] = local = round_up(local, variable.alignment);
      local += variable.bytes;
    } else if (seen[k] != 0 && variable.dynamic) {
      dynamic_alignment = std::max(dynamic_alignment, variable.alignment);
    } else if (seen[k] != 0) {
      layout.address[k] = shared = round_up(shared, variable.alignment);
      shared += variable.bytes;
    }
  }
  constexpr std::uint64_t most = std::uint64_t{1} << 30;
  if (shared - shared_base > most || local > most) {
    throw PtxError(static_cast<int>(std::max(function.line, 1U)),
                   "the shared or local variables of '" + function.name + "' take more than " +
                       std::to_string(most) + " bytes");
  }
  layout.shared_end = static_cast<std::uint32_t>(shared);
  layout.dynamic_shared = static_cast<std::uint32_t>(round_up(shared, dynamic_alignment));
  layout.local_bytes = static_cast<std::uint32_t>(round_up(local, 16));
  for (std::size_t k = 0; k < count; ++k) {
    const Variable& variable = k < first ? module.variables[k] : function.variables[k - first];
    if (variable.dynamic) layout.address[k] = layout.dynamic_shared;
  }
  return layout;
}

}  // namespace tilewright::emulator
