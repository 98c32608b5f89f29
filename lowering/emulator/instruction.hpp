// One decoded instruction: a handler and the byte offsets of its operands in a warp's register
// file. Every program exists twice with equal indices: `full` for warps with all 32 lanes active
// (no mask code at all) and `masked` for the rest. decode.hpp makes these, scheduler.cpp runs them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "emulator/monitor.hpp"
#include "emulator/ptx_names.hpp"

namespace tilewright::emulator {

struct Warp;
struct Instruction;

/// Runs one instruction of a warp and returns the next, or null after setting `Warp::event`.
using Handler = const Instruction* (*)(const Instruction*, Warp*);

struct alignas(64) Instruction {
  Handler run = nullptr;
  std::uint32_t d = 0, a = 0, b = 0, c = 0;  ///< register-file offsets, or predicate numbers
  std::uint64_t immediate = 0;
  std::uint32_t guard = 0;              ///< 2 * predicate + negated; 0: unguarded
  std::uint32_t e = 0;                  ///< a fifth operand, a predicate or a branch target
  const std::uint32_t* list = nullptr;  ///< offsets of a vector's elements
  std::uint16_t n = 0, flags = 0;
  std::uint32_t index = 0;  ///< place in the program: its site, and where to resume
  std::uint32_t cache = 0;  ///< which remembered address range a global access uses
};

struct Handlers {
  Handler full = nullptr, masked = nullptr;
  Handler both = nullptr;  ///< full stream: this instruction and the next, of the same kind
  /// Full stream: an ldmatrix.x4, or its transposed form, and the two mma that follow it.
  Handler loaded[2] = {};
  /// Full stream: `a`, or `b`, is a constant and stands in `immediate`, for a slot of 128 bytes
  /// that holds 32 copies of it costs two lines of the cache.
  Handler constant_a = nullptr, constant_b = nullptr;
  explicit operator bool() const { return full != nullptr; }
};

/// Predicate numbers with fixed values; a kernel's own start after them.
constexpr std::uint32_t sink_predicate = 0, true_predicate = 1, false_predicate = 2,
                        carry_predicate = 3,  // CC.CF of add.cc and its family
    first_predicate = 4;

/// Generic addresses: global addresses are host addresses, the rest have a window in the top byte.
constexpr unsigned window_shift = 56;
constexpr std::uint64_t shared_window = std::uint64_t{1} << window_shift;
constexpr std::uint64_t local_window = std::uint64_t{2} << window_shift;
constexpr std::uint64_t parameter_window = std::uint64_t{3} << window_shift;

/// Shared memory starts here, as on hardware, where the first KiB of a block is the system's. It
/// flushes out code that takes address 0 for a valid tile or assumes alignment nobody promised.
constexpr std::uint32_t shared_base = 1024;

/// What one pass through a basic block costs, for the counters.
struct BlockCost {
  std::uint32_t instructions = 0;
  std::uint32_t tensor = 0, mufu = 0, fma = 0, alu = 0, shared = 0, global = 0, control = 0,
                sync = 0;
  std::uint64_t tensor_ops = 0;
};

/// Keeps lists of offsets side by side in the order of the program, none across more cache lines
/// than it must: a kernel's lists stream through the cache like its instructions.
class OffsetLists {
 public:
  const std::uint32_t* keep(const std::vector<std::uint32_t>& offsets);

 private:
  static constexpr std::size_t line = 16;
  struct alignas(64) Line {
    std::uint32_t at[line];
  };
  std::vector<std::unique_ptr<Line[]>> chunks_;
  std::size_t used_ = 0, room_ = 0;
};

/// A decoded kernel.
class Program {
 public:
  std::vector<Instruction> full, masked;
  std::vector<Site> sites;             ///< by instruction index
  std::vector<std::string> mnemonics;  ///< by instruction index, for reports
  OffsetLists lists;
  std::vector<BlockCost> costs;  ///< by basic block

  struct Constant {
    std::uint32_t offset;
    bool wide;
    std::uint64_t bits;
  };
  struct SpecialSlot {
    std::uint32_t offset;
    bool wide;
    SpecialRegister which;
  };
  std::vector<Constant> constants;
  std::vector<SpecialSlot> specials;
  std::vector<std::uint32_t> undefined_narrow, undefined_wide;  ///< read before written: poisoned

  std::uint32_t register_bytes = 0;  ///< register file of one warp
  std::uint32_t predicates = 0;
  std::uint32_t caches = 0;
  std::uint32_t local_bytes = 0;     ///< per lane
  std::uint32_t dynamic_shared = 0;  ///< window offset where dynamic shared memory starts
  bool uses_order = false;           ///< has fences or accesses that order others
  bool waits_for_blocks = false;     ///< reads what another block may be about to write
};

}  // namespace tilewright::emulator
