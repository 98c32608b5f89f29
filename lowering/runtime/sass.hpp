// Machine instructions, as far as counting them needs: 16 bytes each, the operation in the low
// bits. The one idea: the low 9 bits name the operation, the 3 above them only say where operands
// come from, so one small table covers every form. It was made by comparing compiled kernels with
// their disassembly, for sm_80 and sm_90a. Next: sass_loops.hpp, cubin_info.hpp;
// tests/runtime/sass_test.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tilewright::runtime {

struct Instruction {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  unsigned operation() const { return low & 0x1ff; }
  /// Guarded by a predicate that is not constantly true.
  bool guarded() const { return (low >> 12 & 0xf) != 7; }
  /// Bytes per thread of a local, shared or global load or store.
  int access_bytes() const;
};

enum class InstructionClass {
  tensor,   ///< HMMA, IMMA, DMMA, wgmma
  mufu,     ///< exp2, log2, reciprocal, square root …
  fma,      ///< floating-point add, multiply, fma, min, max
  alu,      ///< integers, comparisons, selects, conversions, moves
  shared,   ///< LDS, STS, ldmatrix, stmatrix, shared atomics
  global,   ///< global loads, stores, atomics, cp.async, TMA
  local,    ///< LDL, STL: spills and local arrays
  shuffle,  ///< SHFL, REDUX, VOTE
  sync,     ///< barriers, fences, waits, convergence
  control,  ///< branches, calls, exits, NOP
};
inline constexpr int instruction_classes = 10;

constexpr const char* name(InstructionClass kind) {
  constexpr const char* names[] = {"tensor", "mufu",  "fma",     "alu",  "shared",
                                   "global", "local", "shuffle", "sync", "control"};
  return names[static_cast<int>(kind)];
}

/// The operations that callers look for by themselves.
namespace operation {
inline constexpr unsigned branch = 0x147;
inline constexpr unsigned exit = 0x14d;
inline constexpr unsigned return_from_call = 0x150;
inline constexpr unsigned branch_indexed = 0x149;
inline constexpr unsigned load_local = 0x183;
inline constexpr unsigned store_local = 0x187;
inline constexpr unsigned nop = 0x118;
}  // namespace operation

InstructionClass classify(const Instruction& instruction);

/// The instructions of a .text section; a trailing partial one is ignored.
std::vector<Instruction> decode_sass(std::string_view text);

/// Where a branch at `index` goes, as an instruction index; nothing for other instructions and for
/// targets outside the code. `architecture` is 80, 90 …: the offset moved in between.
std::optional<std::size_t> branch_target(const std::vector<Instruction>& code, std::size_t index,
                                         int architecture);

/// How many instructions of each class.
struct InstructionMix {
  std::array<std::size_t, instruction_classes> counts{};

  std::size_t of(InstructionClass kind) const { return counts[static_cast<int>(kind)]; }
  void add(const Instruction& instruction, std::size_t times = 1) {
    counts[static_cast<std::size_t>(classify(instruction))] += times;
  }
  std::size_t total() const;
};

}  // namespace tilewright::runtime
