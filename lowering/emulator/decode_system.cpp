// `call` of the CUDA run time's own functions; every other call was inlined (ptx_inline.hpp).
#include "emulator/decode.hpp"
#include "emulator/ops/system_calls.hpp"

namespace tilewright::emulator {

bool Decoder::system_function() {
  if (now_->form.opcode != Opcode::call) return false;
  allow({Modifier::uni});
  expect_operands(3, 3);
  const SystemCall call =
      now_->callee < 0
          ? SystemCall::none
          : system_call(module_.functions[static_cast<std::size_t>(now_->callee)].name);
  const system_calls::Signature expected = system_calls::signature(call);
  const auto& results = operand(0).elements;
  const auto& arguments = operand(2).elements;
  if (call == SystemCall::none || arguments.size() != expected.count ||
      results.size() != (expected.result != 0 ? 1u : 0u)) {
    refuse("not the signature of this function");
  }
  std::vector<std::uint32_t> offsets;
  const auto place = [&](const Operand& each, unsigned bytes) {
    const std::size_t index = static_cast<std::size_t>(each.variable - function_.first_variable);
    if (each.kind != Operand::Kind::variable || function_.variables[index].bytes != bytes)
      refuse("not the signature of this function");
    offsets.push_back(static_cast<std::uint32_t>(variable_address(each)));
  };
  for (std::size_t k = 0; k < arguments.size(); ++k) place(arguments[k], expected.arguments[k]);
  for (const Operand& each : results) place(each, expected.result);
  Instruction made;
  made.n = static_cast<std::uint16_t>(arguments.size());
  made.list = list(offsets);
  emit(system_calls::handler(call), made);
  return true;
}

}  // namespace tilewright::emulator
