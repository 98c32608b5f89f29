// The slow side of memory accesses, shared by all instruction sets: checks that failed the fast
// test, generic addresses, and telling the detectors and counters. Handlers call these out of line.
#pragma once

#include <cstdint>

#include "emulator/ptx_names.hpp"
#include "emulator/warp.hpp"

namespace tilewright::emulator {

/// `atomic` reads and writes; strong reads and writes are those of strong_memory.cpp.
enum class Access : std::uint8_t { read, write, atomic, strong_read, strong_write };

inline bool only_reads(Access access) {
  return access == Access::read || access == Access::strong_read;
}

/// Reports a fault at this instruction; `lane` is the first offender.
void report_fault(const Warp& warp, const Instruction& at, FaultKind kind, unsigned lane,
                  const std::string& message);

/// Global addresses that missed the cached range: the lanes that may proceed. Reports the others.
std::uint32_t check_global(Warp* warp, const Instruction* at, const std::uint64_t* address,
                           std::uint32_t lanes, unsigned bytes, Access access);
/// Window offsets of shared memory that are not all inside and aligned; likewise.
std::uint32_t check_shared(Warp* warp, const Instruction* at, const std::uint32_t* address,
                           std::uint32_t lanes, unsigned bytes, Access access);
std::uint32_t check_local(Warp* warp, const Instruction* at, const std::uint32_t* address,
                          std::uint32_t lanes, unsigned bytes, Access access);

/// Any mixture of windows: checks, reports to the detectors and gives a host pointer per lane. For
/// writes `value` is what the lanes store, `bytes` each (see BlockMonitor), or null.
std::uint32_t resolve_generic(Warp* warp, const Instruction* at, const std::uint64_t* address,
                              std::uint32_t lanes, unsigned bytes, Access access, const void* value,
                              std::uint8_t** pointers);

/// Tell monitor and counter. Only called when `Warp::observed`.
void observe_global(Warp* warp, const Instruction* at, const std::uint64_t* address,
                    std::uint32_t lanes, unsigned bytes, Access access, const void* value);
void observe_shared(Warp* warp, const Instruction* at, const std::uint32_t* address,
                    std::uint32_t lanes, unsigned bytes, Access access, const void* value);
void observe_matrix_rows(Warp* warp, const Instruction* at, const std::uint32_t* rows,
                         unsigned matrices, Access access, const void* value);
/// A strong access has read its values: what they say of other threads' progress is known now.
void observe_value(Warp* warp, const Instruction* at, const std::uint64_t* address,
                   std::uint32_t lanes, Access access);
void observe_warp_sync(Warp* warp, std::uint32_t lanes);
/// shfl read lanes that do not take part.
void report_inactive_source(Warp* warp, const Instruction* at, unsigned lane, unsigned source);

}  // namespace tilewright::emulator
