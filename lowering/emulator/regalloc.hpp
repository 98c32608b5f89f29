// Linear scan: thousands of virtual registers share a few hundred slots, so that a warp's register
// file stays in the first caches. Spilling does not exist: there is always another slot.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/cfg.hpp"
#include "emulator/ptx_ir.hpp"

namespace tilewright::emulator {

struct Allocation {
  std::vector<int> slot;  ///< by virtual register: slot of its class or predicate number, -1 unused
  std::uint32_t narrow = 0, wide = 0;  ///< slots
  std::uint32_t predicates = 0;        ///< numbers in use, the fixed ones included
  std::vector<int> undefined;          ///< registers that may be read before they are written
};

Allocation allocate_registers(const Function& function, const FlowGraph& graph);

}  // namespace tilewright::emulator
