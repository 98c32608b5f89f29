// Slow paths of memory accesses (see access.hpp): which lane is at fault and why, generic
// addresses, and the calls into BlockMonitor and AccessCounter.
#include "emulator/access.hpp"

#include <cstdio>
#include <cstring>

#include "emulator/engine.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator {
namespace {

const char* verb(Access access) {
  switch (access) {
    case Access::read:
    case Access::strong_read: return "read";
    case Access::write:
    case Access::strong_write: return "write";
    case Access::atomic: return "atomic";
  }
  return "access";
}

std::string hexadecimal(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string access_words(const Warp& warp, const Instruction& at, Access access, unsigned bytes,
                         const char* where, std::uint64_t address) {
  return warp.block->state->program->mnemonics[at.index] + ": " + verb(access) + " of " +
         std::to_string(bytes) + " bytes at " + where + hexadecimal(address);
}

bool aligned(std::uint64_t address, unsigned bytes) { return (address & (bytes - 1)) == 0; }

/// Offsets inside a window [begin, end): shared and local memory.
std::uint32_t check_window(Warp* warp, const Instruction* at, const std::uint32_t* offset,
                           std::uint32_t lanes, unsigned bytes, Access access, const char* name,
                           std::uint64_t begin, std::uint64_t end) {
  std::uint32_t ok = 0;
  bool outside_told = false, crooked_told = false;
  for (std::uint32_t left = lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const std::uint64_t first = offset[lane];
    if (first < begin || first + bytes > end) {
      if (!outside_told) {
        report_fault(*warp, *at, FaultKind::out_of_bounds, lane,
                     access_words(*warp, *at, access, bytes, name, first) +
                         ", outside the block's " + std::to_string(end - begin) + " bytes at " +
                         hexadecimal(begin));
      }
      outside_told = true;
    } else if (!aligned(first, bytes)) {
      if (!crooked_told) {
        report_fault(*warp, *at, FaultKind::misaligned, lane,
                     access_words(*warp, *at, access, bytes, name, first) + ", not a multiple of " +
                         std::to_string(bytes));
      }
      crooked_told = true;
    } else {
      ok |= 1u << lane;
    }
  }
  return ok;
}

Strong strong_of(const Instruction& at, Access access) {
  return {access == Access::strong_read    ? Strong::Kind::read
          : access == Access::strong_write ? Strong::Kind::write
                                           : Strong::Kind::update,
          (at.flags & strong::acquires) != 0, (at.flags & strong::releases) != 0,
          (at.flags & strong::block_scope) != 0};
}

Site site_of(const Warp& warp, const Instruction& at) {
  return warp.block->state->program->sites[at.index];
}

}  // namespace

std::uint32_t Block::threads() const {
  return static_cast<std::uint32_t>(state->launch->block.count());
}

void report_fault(const Warp& warp, const Instruction& at, FaultKind kind, unsigned lane,
                  const std::string& message) {
  const Block& block = *warp.block;
  const Dim3 size = block.state->launch->block;
  const std::uint32_t thread = warp.index * 32 + lane;
  const Site site = site_of(warp, at);
  Fault fault;
  fault.kind = kind;
  fault.block = block.position;
  fault.thread = {thread % size.x, thread / size.x % size.y, thread / size.x / size.y};
  fault.ptx_line = static_cast<int>(site.ptx_line);
  fault.cuda_line = static_cast<int>(site.cuda_line);
  fault.message = message;
  block.state->sink->report(std::move(fault));
}

std::uint32_t check_global(Warp* warp, const Instruction* at, const std::uint64_t* address,
                           std::uint32_t lanes, unsigned bytes, Access access) {
  if (lanes == 0) return 0;
  const Memory& memory = *warp->block->state->memory;
  Memory::Range range;
  std::uint32_t ok = 0;
  bool outside_told = false, crooked_told = false;
  for (std::uint32_t left = lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const std::uint64_t first = address[lane];
    if (range.end <= range.begin || !range.contains(first, first + bytes))
      range = memory.find(first);
    if (range.end <= range.begin || !range.contains(first, first + bytes) ||
        first + bytes < first) {
      if (!outside_told) {
        // The last byte tells more than the first when an access starts inside and ends outside.
        const bool starts_inside = range.end > range.begin && range.contains(first, first + 1);
        report_fault(*warp, *at, FaultKind::out_of_bounds, lane,
                     access_words(*warp, *at, access, bytes, "", first) + ": " +
                         memory.describe(starts_inside ? range.end : first));
      }
      outside_told = true;
    } else if (!aligned(first, bytes)) {
      if (!crooked_told) {
        report_fault(*warp, *at, FaultKind::misaligned, lane,
                     access_words(*warp, *at, access, bytes, "", first) + ", not a multiple of " +
                         std::to_string(bytes));
      }
      crooked_told = true;
    } else {
      ok |= 1u << lane;
      warp->ranges[at->cache] = {range.begin, range.end};
    }
  }
  return ok;
}

std::uint32_t check_shared(Warp* warp, const Instruction* at, const std::uint32_t* address,
                           std::uint32_t lanes, unsigned bytes, Access access) {
  return check_window(warp, at, address, lanes, bytes, access, "shared ", shared_base,
                      warp->shared_bytes);
}

std::uint32_t check_local(Warp* warp, const Instruction* at, const std::uint32_t* address,
                          std::uint32_t lanes, unsigned bytes, Access access) {
  return check_window(warp, at, address, lanes, bytes, access, "local ", 0, warp->local_bytes);
}

std::uint32_t resolve_generic(Warp* warp, const Instruction* at, const std::uint64_t* address,
                              std::uint32_t lanes, unsigned bytes, Access access, const void* value,
                              std::uint8_t** pointers) {
  std::uint32_t global = 0, shared = 0, local = 0, parameter = 0, ok = 0;
  alignas(64) std::uint32_t offset[32];
  for (std::uint32_t left = lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const std::uint32_t bit = 1u << lane;
    offset[lane] = static_cast<std::uint32_t>(address[lane]);
    switch (address[lane] >> window_shift) {
      case shared_window >> window_shift: shared |= bit; break;
      case local_window >> window_shift: local |= bit; break;
      case parameter_window >> window_shift: parameter |= bit; break;
      default: global |= bit; break;
    }
  }
  if (global != 0) {
    global = check_global(warp, at, address, global, bytes, access);
    if (warp->observed) observe_global(warp, at, address, global, bytes, access, value);
  }
  if (shared != 0) {
    shared = check_shared(warp, at, offset, shared, bytes, access);
    if (warp->observed) observe_shared(warp, at, offset, shared, bytes, access, value);
  }
  if (local != 0) local = check_local(warp, at, offset, local, bytes, access);
  if (parameter != 0) {
    if (!only_reads(access)) {
      const unsigned lane = static_cast<unsigned>(__builtin_ctz(parameter));
      report_fault(*warp, *at, FaultKind::out_of_bounds, lane,
                   access_words(*warp, *at, access, bytes, "parameter ", offset[lane]) +
                       ": kernel parameters are read-only");
      parameter = 0;
    } else {
      parameter = check_window(warp, at, offset, parameter, bytes, access, "parameter ", 0,
                               warp->block->state->parameter_bytes);
    }
  }
  ok = global | shared | local | parameter;
  for (std::uint32_t left = ok; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const std::uint32_t bit = 1u << lane;
    if ((global & bit) != 0) {
      pointers[lane] = reinterpret_cast<std::uint8_t*>(address[lane]);
    } else if ((shared & bit) != 0) {
      pointers[lane] = warp->shared + offset[lane];
    } else if ((local & bit) != 0) {
      pointers[lane] = warp->local + std::size_t{warp->local_bytes} * lane + offset[lane];
    } else {
      pointers[lane] = const_cast<std::uint8_t*>(warp->parameters) + offset[lane];
    }
  }
  return ok;
}

void observe_global(Warp* warp, const Instruction* at, const std::uint64_t* address,
                    std::uint32_t lanes, unsigned bytes, Access access, const void* value) {
  if (lanes == 0) return;
  Block& block = *warp->block;
  if (block.counter != nullptr) block.counter->global(!only_reads(access), address, lanes, bytes);
  if (block.monitor == nullptr) return;
  const Site site = site_of(*warp, *at);
  switch (access) {
    case Access::read: block.monitor->global_read(site, warp->index, address, lanes, bytes); break;
    case Access::write:
      block.monitor->global_write(site, warp->index, address, lanes, bytes, value);
      break;
    case Access::atomic:
    case Access::strong_read:
    case Access::strong_write:
      block.monitor->global_strong(site, warp->index, address, lanes, bytes,
                                   strong_of(*at, access));
      break;
  }
}

void observe_shared(Warp* warp, const Instruction* at, const std::uint32_t* address,
                    std::uint32_t lanes, unsigned bytes, Access access, const void* value) {
  if (lanes == 0) return;
  Block& block = *warp->block;
  if (block.counter != nullptr) block.counter->shared(address, lanes, bytes);
  if (block.monitor == nullptr) return;
  const Site site = site_of(*warp, *at);
  switch (access) {
    case Access::read: block.monitor->shared_read(site, warp->index, address, lanes, bytes); break;
    case Access::write:
      block.monitor->shared_write(site, warp->index, address, lanes, bytes, value);
      break;
    case Access::atomic:
    case Access::strong_read:
    case Access::strong_write:
      block.monitor->shared_strong(site, warp->index, address, lanes, bytes,
                                   strong_of(*at, access));
      break;
  }
}

void observe_matrix_rows(Warp* warp, const Instruction* at, const std::uint32_t* rows,
                         unsigned matrices, Access access, const void* value) {
  Block& block = *warp->block;
  if (block.counter != nullptr) block.counter->matrix_rows(rows, matrices);
  if (block.monitor == nullptr) return;
  const std::uint32_t lanes = matrices >= 4 ? all_lanes : (1u << (8 * matrices)) - 1;
  const Site site = site_of(*warp, *at);
  if (access == Access::read) {
    block.monitor->shared_read(site, warp->index, rows, lanes, 16);
  } else {
    block.monitor->shared_write(site, warp->index, rows, lanes, 16, value);
  }
}

void observe_value(Warp* warp, const Instruction* at, const std::uint64_t* address,
                   std::uint32_t lanes, Access access) {
  BlockMonitor* monitor = warp->block->monitor;
  if (monitor == nullptr || !warp->block->state->program->uses_order) return;
  std::uint32_t shared = 0, global = 0;
  std::uint32_t offset[32] = {};
  for (std::uint32_t left = lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const std::uint64_t window = address[lane] >> window_shift << window_shift;
    offset[lane] = static_cast<std::uint32_t>(address[lane]);
    if (window == shared_window) shared |= 1u << lane;
    if (window == 0) global |= 1u << lane;
  }
  monitor->shared_observed(warp->index, offset, shared, strong_of(*at, access));
  monitor->global_observed(warp->index, address, global, strong_of(*at, access));
}

void observe_warp_sync(Warp* warp, std::uint32_t lanes) {
  if (warp->block->monitor != nullptr)
    warp->block->monitor->warp_sync(warp->index, lanes & warp->live);
}

void report_inactive_source(Warp* warp, const Instruction* at, unsigned lane, unsigned source) {
  if (warp->block->monitor == nullptr) return;
  report_fault(*warp, *at, FaultKind::uninitialized_read, lane,
               warp->block->state->program->mnemonics[at->index] + ": lane " +
                   std::to_string(lane) + " reads lane " + std::to_string(source) +
                   ", which does not take part");
}

}  // namespace tilewright::emulator
