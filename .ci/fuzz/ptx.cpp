// See targets.hpp. A device's memory of its own for each input, so that none sees what another
// left.
#include "emulator/engine.hpp"
#include "targets.hpp"

namespace tilewright::fuzz {

void ptx(std::string_view input) {
  emulator::Memory memory;
  try {
    const auto module = emulator::Module::load(input, memory);
    for (const auto& [name, kernel] : module->kernels()) {
      require(kernel.program != nullptr && kernel.name == name, "a kernel has a program");
      for (const emulator::Parameter& parameter : kernel.parameters)
        require(parameter.offset <= kernel.parameter_bytes &&
                    parameter.bytes <= kernel.parameter_bytes - parameter.offset,
                "a parameter lies within the parameters");
    }
    for (const auto& [name, variable] : module->globals())
      require(memory.find(variable.address)
                  .contains(variable.address, variable.address + variable.bytes),
              "a variable lies in device memory");
  } catch (const emulator::PtxError& error) {
    require(error.line() >= 1, "a refusal names its line");
  }
  require(memory.bytes_in_use() == 0, "a module gives its memory back");
}

}  // namespace tilewright::fuzz
