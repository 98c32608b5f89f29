// The engine's public face: PTX text in, kernels that can be launched out.
// It knows device memory as one address space (memory.hpp) and reports through monitor.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/memory.hpp"
#include "emulator/monitor.hpp"

namespace tilewright::emulator {

/// PTX that cannot be read or an instruction the emulator does not know. `what()` names line and
/// text.
class PtxError : public std::runtime_error {
 public:
  PtxError(int line, const std::string& message);
  int line() const { return line_; }

 private:
  int line_;
};

struct Parameter {
  std::string name;
  std::uint32_t offset = 0;  ///< byte offset in the parameter block
  std::uint32_t bytes = 0;
  std::uint32_t alignment = 1;
};

class Program;  ///< a decoded kernel (internal)

/// One `.entry`.
struct Kernel {
  std::string name;
  std::vector<Parameter> parameters;
  std::uint32_t parameter_bytes = 0;
  std::uint32_t static_shared_bytes = 0;
  std::uint32_t local_bytes = 0;
  std::uint32_t max_threads = 1024;  ///< `.maxntid`, or the architecture's 1024
  std::uint32_t registers = 0;  ///< 32-bit slots after allocation; ptxas decides the real number
  std::shared_ptr<const Program> program;
};

struct GlobalVariable {
  std::uint64_t address = 0;
  std::size_t bytes = 0;
};

/// A loaded module: its kernels by name and its global variables, placed in `memory`.
class Module {
 public:
  /// Parses and decodes. Throws PtxError; an unknown instruction is an error here, never skipped
  /// later.
  static std::shared_ptr<Module> load(std::string_view ptx, Memory& memory);
  ~Module();
  const std::map<std::string, Kernel>& kernels() const { return kernels_; }
  const std::map<std::string, GlobalVariable>& globals() const { return globals_; }
  int target() const { return target_; }  ///< 80, 90, ...

 private:
  Module() = default;
  friend class ModuleLoader;
  std::map<std::string, Kernel> kernels_;
  std::map<std::string, GlobalVariable> globals_;
  Memory* memory_ = nullptr;
  int target_ = 0;
};

struct Launch {
  Dim3 grid, block;
  std::uint32_t dynamic_shared_bytes = 0;
  std::vector<std::byte> parameters;  ///< parameter_bytes, laid out as the kernel declares
};

/// Runs one kernel to its end (blocks spread over host threads) and says what was seen.
Report run(const Kernel& kernel, const Launch& launch, Memory& memory, const Options& options);

}  // namespace tilewright::emulator
