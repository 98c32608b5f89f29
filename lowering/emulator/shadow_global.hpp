// Which blocks of a launch touched which bytes of global memory, and how.
// Blocks of one launch are never ordered, so it is enough to know, for every byte, whether one
// block or several read, wrote or atomically updated it. Sixteen bytes share a record of three
// words (an owner block with its bytes, and the bytes of several blocks); where blocks interleave
// inside sixteen bytes the record is kept per byte in a map. A block that finds itself already
// recorded returns without a lock, which makes reads of inputs cheap. Order inside a block is
// race_global.hpp's concern.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <unordered_map>

#include "emulator/race_judge.hpp"

namespace tilewright::emulator {

struct Granule;

class GlobalShadow {
 public:
  GlobalShadow() = default;
  GlobalShadow(const GlobalShadow&) = delete;
  GlobalShadow& operator=(const GlobalShadow&) = delete;
  ~GlobalShadow();

  /// Blocks are numbered from 1 here; 0 is nobody, all ones is several.
  using Block = std::uint32_t;
  static Block block_number(std::uint64_t linear) {
    return static_cast<Block>(linear % (several - 1)) + 1;
  }

  struct Clash {
    unsigned offset = 0;  ///< first byte, in the granule
    unsigned bytes = 0;
    Verb verb{};      ///< of the other block
    Block block = 0;  ///< `several` when it is not known which
    std::uint32_t line = 0;
  };

  /// One thread's view: remembers the last region and holds one stripe's lock between calls.
  /// Release before anything that may take another lock.
  class View {
   public:
    explicit View(GlobalShadow* shadow) : shadow_(shadow) {}
    /// Records that `block` accessed the bytes `mask` of the granule at `address` (a multiple of
    /// 16), and returns the first conflict, once per byte.
    std::optional<Clash> touch(std::uint64_t address, std::uint32_t mask, Verb verb, Block block,
                               std::uint32_t line);
    void release() {
      if (lock_.owns_lock()) lock_.unlock();
    }

   private:
    GlobalShadow* shadow_;
    std::uint64_t region_ = ~std::uint64_t{0};
    Granule* granules_ = nullptr;
    std::unique_lock<std::mutex> lock_;
  };

  static constexpr Block several = ~Block{0};

 private:
  struct Byte {
    Block reader = 0, writer = 0, updater = 0;  ///< updater: by atomics
  };
  using Bytes = std::array<Byte, 16>;
  struct Stripe {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, Bytes> detailed;
  };
  Granule* region(std::uint64_t number);
  Stripe& stripe(std::uint64_t address) { return stripes_[address / 4096 % stripes_.size()]; }
  static std::optional<Clash> judge(Bytes& bytes, std::uint32_t mask, Verb verb, Block block);
  std::optional<Clash> record(Granule& granule, Stripe& stripe, std::uint64_t address,
                              std::uint32_t mask, Verb verb, Block block, std::uint32_t line);

  std::shared_mutex regions_mutex_;
  std::unordered_map<std::uint64_t, Granule*> regions_;
  std::array<Stripe, 64> stripes_;
};

}  // namespace tilewright::emulator
