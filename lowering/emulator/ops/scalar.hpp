// Handlers that gain nothing from vector instructions: control flow, barriers, atomics, cp.async,
// clocks, rounding modes. Compiled once; every variant uses them.
#pragma once

#include "emulator/instruction.hpp"
#include "emulator/ptx_ir.hpp"
#include "emulator/warp.hpp"

namespace tilewright::emulator {

/// Active lanes of either stream.
inline std::uint32_t active_lanes(const Instruction* i, const Warp* w) {
  std::uint32_t lanes = w->mask;
  if (i->guard != 0) lanes &= w->predicates[i->guard >> 1] ^ (0u - (i->guard & 1));
  return lanes;
}
template <class T>
T* slots(Warp* w, std::uint32_t offset) {
  return reinterpret_cast<T*>(w->registers + offset);
}

namespace control {
// Block entry: e = basic block, c = its instructions.
Handlers enter();
// e = target index, immediate = index where the two ways meet (~0: nowhere).
Handlers branch();        ///< guarded
Handlers jump();          ///< unguarded
Handlers indexed_jump();  ///< a = index register, list of n targets, immediate as above
Handlers exit();
Handlers trap();  ///< flags 1: brkpt
// a = id register, b = thread count register (n & 1), flags: 1 arrive, reduction << 4, 2 inverted
// predicate; c = predicate, d = destination.
Handlers barrier();
Handlers warp_barrier();  ///< a = member mask register
Handlers fence();         ///< flags 1: device scope or wider
Handlers clock();         ///< flags 1: 64 bits
Handlers nothing();
Handlers give_way();      ///< ends the time slice of the warp at its next block
Handlers set_rounding();  ///< n: 0 nearest, 1 toward zero, 2 down, 3 up
}  // namespace control

/// Flags that atomics and strong accesses share, and the strong accesses themselves:
/// a = address (immediate displacement), list of n registers, c = bytes of each.
namespace strong {
constexpr std::uint16_t shared_space = 2, narrow_address = 4, acquires = 0x100, releases = 0x200,
                        block_scope = 0x400, extends_sign = 0x800;
Handlers load();
Handlers store();
/// Addresses of all lanes, shared ones in their window.
void generic_addresses(const Instruction* i, Warp* w, std::uint64_t* address);
}  // namespace strong

namespace atomics {
/// a = address (immediate displacement), b, c = operands, d = old value when flags & 1.
/// The operation and type are encoded by `encode`.
Handlers apply();
enum class Operation : std::uint8_t {
  add,
  min,
  max,
  exchange,
  compare,
  increment,
  decrement,
  and_,
  or_,
  xor_
};
enum class Value : std::uint8_t { u32, s32, u64, s64, f32, f64, f16, bf16, f16x2, bf16x2, b16 };
constexpr std::uint16_t encode(Operation operation, Value value) {
  return static_cast<std::uint16_t>(static_cast<unsigned>(operation) * 16 +
                                    static_cast<unsigned>(value));
}
constexpr std::uint16_t returns_old = 1, shared_space = strong::shared_space,
                        narrow_address = strong::narrow_address, flushes = 8;
}  // namespace atomics

/// a = address as above, b = count, state or parity, d = state, predicate or count.
namespace mbarrier {
constexpr std::uint16_t counted = 1, drops = 2, never_completes = 4, returns_state = 8,
                        by_parity = 16;  // in n
Handlers init();
Handlers invalidate();
Handlers arrive();
Handlers test();
Handlers pending_count();
}  // namespace mbarrier

namespace asynchronous {
// a = shared address (flags 1: 64-bit register), b = global address, immediate and e their
// displacements, n = bytes, c = source size register (flags 2), d = ignore predicate (flags 4,
// 8 inverted).
Handlers copy();
Handlers commit();
Handlers wait();  ///< n = groups that may stay pending; flags 1: wait_all
}  // namespace asynchronous

}  // namespace tilewright::emulator
