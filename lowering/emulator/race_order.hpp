// Order that fences and flags make, inside a block and between blocks of one launch: PTX's release
// and acquire patterns. A strong write (relaxed, volatile, atomic) publishes at its address what
// its warp knew at its last fence, or, if it is itself a release, what it knows now; a strong read
// picks that up, and a fence after it, or the read itself if it is an acquire, makes it known.
// Barriers share what was fenced and picked up, so the fence may stand before or after one. An
// atomic read-modify-write adds to what is published, a store replaces it.
//
// Knowledge is per warp: up to which of its times each warp of each block is ordered before here.
// Lanes of one warp count as one for another block. Source: PTX ISA, memory consistency model.
// Next: shadow_ordered.hpp, which asks.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "emulator/monitor.hpp"
#include "emulator/race_clocks.hpp"
#include "emulator/shadow_ordered.hpp"

namespace tilewright::emulator {

class Knowledge {
 public:
  using Row = std::array<Clocks::Time, 32>;
  bool empty() const { return rows_.empty(); }
  void join(const Knowledge& other);
  void join(std::uint32_t block, const Row& row);
  bool has(std::uint32_t block, unsigned warp, Clocks::Time time) const;
  const Row* find(std::uint32_t block) const;
  void forget(std::uint32_t block) { rows_.erase(block); }

 private:
  std::map<std::uint32_t, Row> rows_;
};

/// What strong writes left at one address: `wide` for every block, `narrow` for the writer's own.
struct Publication {
  Knowledge wide;
  std::map<std::uint32_t, Knowledge> narrow;
};

/// One per launch.
class LaunchOrder {
 public:
  std::mutex mutex;
  std::unordered_map<std::uint64_t, Publication> published;  ///< by global address
  OrderedShadow shadow;
};

/// One per block. Times are those of the block's clocks.
class WarpOrder {
 public:
  WarpOrder(LaunchOrder& launch, Clocks& clocks, std::uint32_t block, unsigned warps);

  void publish(bool shared, std::uint64_t address, unsigned warp, const Strong& strong);
  void observe(bool shared, std::uint64_t address, unsigned warp, const Strong& strong);
  void fence(unsigned warp, bool device_scope);
  void barrier(std::uint32_t warps);
  /// Of an mbarrier: its arrivals are releases at its address, a wait acquires the last whole
  /// phase.
  void complete_phase(std::uint32_t address);
  void pass_phase(unsigned warp, std::uint32_t address);

  LaunchOrder& launch() const { return launch_; }
  /// Whether an access of another block is ordered before the next one of `warp`.
  bool knows(unsigned warp, std::uint32_t block, unsigned other, Clocks::Time time) const {
    return warps_[warp].seen.has(block, other, time);
  }

 private:
  struct PerWarp {
    Knowledge seen;                           ///< of other blocks; the own one is in the clocks
    Knowledge fenced_device, fenced_block;    ///< published by the next strong writes
    Knowledge pending_device, pending_block;  ///< picked up, known after the next fence
  };
  Knowledge now(unsigned warp) const;
  void acquire(unsigned warp, const Knowledge& knowledge);

  LaunchOrder& launch_;
  Clocks& clocks_;
  std::uint32_t block_;
  std::vector<PerWarp> warps_;
  std::unordered_map<std::uint64_t, Publication> shared_;
  std::unordered_map<std::uint64_t, Knowledge> phases_;  ///< completed, by an mbarrier's address
};

}  // namespace tilewright::emulator
