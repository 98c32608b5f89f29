// A block under watch, for tests: one call per warp access, faults as words.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "emulator/memory.hpp"
#include "emulator/monitor.hpp"

namespace monitor_tests {

using namespace tilewright::emulator;

constexpr std::uint32_t all = ~0u;

constexpr std::uint32_t lane(unsigned number) { return std::uint32_t{1} << number; }

/// Lane l at first + l * stride.
template <typename Address = std::uint32_t>
std::array<Address, 32> row(Address first, Address stride) {
  std::array<Address, 32> result{};
  for (unsigned l = 0; l < 32; ++l) result[l] = first + l * stride;
  return result;
}

/// What a launch shares between its blocks.
struct Launch {
  explicit Launch(unsigned max_faults = 1000) : sink("kernel_under_test", max_faults) {}

  Options options;
  FaultSink sink;
  std::shared_ptr<GlobalShadow> global = make_global_shadow();
  Memory* memory = nullptr;

  std::vector<Fault> faults() { return sink.take_faults(); }

  /// The distinct kinds found, in words: "none", "data_race", "data_race and missing_wait".
  std::string kinds() {
    std::string text;
    for (const Fault& fault : faults()) {
      const std::string kind = name(fault.kind);
      if (text.find(kind) == std::string::npos) text += (text.empty() ? "" : " and ") + kind;
    }
    return text.empty() ? "none" : text;
  }
};

struct Block {
  explicit Block(Launch& launch, unsigned warps = 4, std::uint64_t number = 0,
                 std::uint32_t shared_bytes = 8192)
      : monitor(setup(launch, warps, number, shared_bytes)), everyone((1u << warps) - 1) {}

  static BlockMonitor::Setup setup(Launch& launch, unsigned warps, std::uint64_t number,
                                   std::uint32_t shared_bytes) {
    BlockMonitor::Setup setup;
    setup.block = {static_cast<std::uint32_t>(number), 0, 0};
    setup.block_size = {warps * 32, 1, 1};
    setup.linear_block = number;
    setup.shared_bytes = shared_bytes;
    setup.options = &launch.options;
    setup.sink = &launch.sink;
    setup.global = launch.global.get();
    setup.memory = launch.memory;
    return setup;
  }

  using Row = std::array<std::uint32_t, 32>;
  using GlobalRow = std::array<std::uint64_t, 32>;

  void read(unsigned line, unsigned warp, const Row& at, unsigned bytes,
            std::uint32_t lanes = all) {
    monitor.shared_read({line, line + 1000}, warp, at.data(), lanes, bytes);
  }
  void write(unsigned line, unsigned warp, const Row& at, unsigned bytes, std::uint32_t lanes = all,
             const void* value = nullptr) {
    monitor.shared_write({line, line + 1000}, warp, at.data(), lanes, bytes, value);
  }
  void atomic(unsigned line, unsigned warp, const Row& at, unsigned bytes,
              std::uint32_t lanes = all) {
    monitor.shared_atomic({line, line + 1000}, warp, at.data(), lanes, bytes);
  }
  void issue(unsigned line, unsigned warp, const Row& at, std::uint32_t lanes = all,
             unsigned bytes = 16) {
    monitor.async_issue({line, line + 1000}, warp, at.data(), lanes, bytes);
  }
  void complete(unsigned line, unsigned warp, const Row& at, std::uint32_t lanes = all,
                unsigned bytes = 16) {
    monitor.async_complete({line, line + 1000}, warp, at.data(), lanes, bytes);
  }
  void load(unsigned line, unsigned warp, const GlobalRow& at, unsigned bytes,
            std::uint32_t lanes = all) {
    monitor.global_read({line, line + 1000}, warp, at.data(), lanes, bytes);
  }
  void store(unsigned line, unsigned warp, const GlobalRow& at, unsigned bytes,
             std::uint32_t lanes = all, const void* value = nullptr) {
    monitor.global_write({line, line + 1000}, warp, at.data(), lanes, bytes, value);
  }
  void add(unsigned line, unsigned warp, const GlobalRow& at, unsigned bytes,
           std::uint32_t lanes = all) {
    monitor.global_atomic({line, line + 1000}, warp, at.data(), lanes, bytes);
  }
  void barrier() { monitor.barrier(everyone); }
  void barrier(std::uint32_t warps) { monitor.barrier(warps); }
  void sync(unsigned warp, std::uint32_t lanes = all) { monitor.warp_sync(warp, lanes); }

  BlockMonitor monitor;
  std::uint32_t everyone;
};

}  // namespace monitor_tests
