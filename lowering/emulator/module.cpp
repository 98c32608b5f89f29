// Loading a module: parse, place its global variables in device memory, decode every kernel.
#include <cstring>

#include "emulator/decode.hpp"
#include "emulator/engine.hpp"
#include "emulator/ptx_fold.hpp"
#include "emulator/ptx_inline.hpp"
#include "emulator/ptx_parser.hpp"

namespace tilewright::emulator {

PtxError::PtxError(int line, const std::string& message)
    : std::runtime_error("PTX line " + std::to_string(line) + ": " + message), line_(line) {}

/// All a module's variables may take: what is initialised costs the host a bit a byte.
constexpr std::uint64_t most_global_bytes = std::uint64_t{1} << 32;

class ModuleLoader {
 public:
  static std::shared_ptr<Module> load(std::string_view ptx, Memory& memory) {
    ModuleText text = Parser(ptx).parse();
    inline_calls(text);
    fold_addresses(text);
    std::shared_ptr<Module> module(new Module());
    module->memory_ = &memory;
    module->target_ = text.target;
    for (const Function& function : text.entries) refuse_inner_globals(function);
    const std::vector<std::uint64_t> addresses = place(text, memory, *module);
    for (const Function& function : text.entries) {
      module->kernels_.emplace(function.name, make_kernel(text, function, addresses));
    }
    return module;
  }

 private:
  static void refuse_inner_globals(const Function& function) {
    for (const Variable& variable : function.variables) {
      if (variable.space == Space::global || variable.space == Space::constant) {
        throw PtxError(static_cast<int>(function.line),
                       "variable '" + variable.name + "' is declared inside kernel '" +
                           function.name + "'; global and constant variables belong outside");
      }
    }
  }

  static std::vector<std::uint64_t> place(const ModuleText& text, Memory& memory, Module& module) {
    std::vector<std::uint64_t> addresses(text.variables.size(), 0);
    std::uint64_t total = 0;
    for (std::size_t k = 0; k < text.variables.size(); ++k) {
      const Variable& variable = text.variables[k];
      if (variable.space != Space::global && variable.space != Space::constant) continue;
      const std::size_t bytes = variable.bytes == 0 ? 1 : variable.bytes;
      total += bytes;
      addresses[k] = total > most_global_bytes ? 0 : memory.allocate_zeros(bytes);
      if (addresses[k] == 0)
        throw PtxError(1, "no device memory for variable '" + variable.name + "'");
      if (!module.globals_.try_emplace(variable.name, GlobalVariable{addresses[k], bytes}).second) {
        memory.release(addresses[k]);
        throw PtxError(1, "variable '" + variable.name + "' is defined twice");
      }
      void* target = reinterpret_cast<void*>(addresses[k]);
      if (!variable.initial.empty())
        std::memcpy(target, variable.initial.data(), variable.initial.size());
      memory.mark_initialized(addresses[k], bytes);
    }
    for (std::size_t k = 0; k < text.variables.size(); ++k) {
      for (const Variable::Relocation& relocation : text.variables[k].relocations) {
        const std::uint64_t value = addresses[static_cast<std::size_t>(relocation.variable)] +
                                    static_cast<std::uint64_t>(relocation.addend);
        std::memcpy(reinterpret_cast<std::byte*>(addresses[k]) + relocation.at, &value,
                    sizeof value);
      }
    }
    return addresses;
  }

  static Kernel make_kernel(const ModuleText& text, const Function& function,
                            const std::vector<std::uint64_t>& addresses) {
    const Layout layout = lay_out(text, function, addresses);
    Decoder decoder(text, function, layout);
    Kernel kernel;
    kernel.name = function.name;
    for (const FunctionParameter& parameter : function.parameters) {
      kernel.parameters.push_back(
          {parameter.name, parameter.offset, parameter.bytes, parameter.alignment});
    }
    kernel.parameter_bytes = function.parameter_bytes;
    kernel.static_shared_bytes = layout.shared_end - shared_base;
    kernel.local_bytes = layout.local_bytes;
    if (function.max_threads != 0) kernel.max_threads = function.max_threads;
    kernel.registers = decoder.register_slots();
    kernel.program = decoder.decode();
    return kernel;
  }
};

std::shared_ptr<Module> Module::load(std::string_view ptx, Memory& memory) {
  return ModuleLoader::load(ptx, memory);
}

Module::~Module() {
  for (const auto& [name, variable] : globals_) memory_->release(variable.address);
}

}  // namespace tilewright::emulator
