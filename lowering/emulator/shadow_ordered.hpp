// Which blocks touched which bytes of global memory, when the launch's blocks order themselves by
// flags: every access keeps its block, warp and time, and a later one of another block must know of
// it. Slower and larger than shadow_global.hpp, which serves launches whose blocks are unordered.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "emulator/race_judge.hpp"

namespace tilewright::emulator {

class OrderedShadow {
 public:
  struct Who {
    std::uint32_t block = 0;
    std::uint16_t warp = 0;
    bool block_scope = false;  ///< strong only inside its block
    Verb verb{};
    Clocks::Time time = 0;
    std::uint32_t line = 0;
  };
  struct Clash {
    unsigned offset = 0, bytes = 0;  ///< in the granule
    Who other;
  };
  using Known = std::function<bool(const Who&)>;

  /// Records that bytes `mask` of the 16 at `address` were accessed; the first conflict with an
  /// access of another block that `known` does not hold of, once per byte.
  std::optional<Clash> touch(std::uint64_t address, std::uint32_t mask, const Who& who,
                             const Known& known);

 private:
  struct Cell {
    std::optional<Who> write;
    std::vector<Who> reads, strong_reads,
        updates;  ///< since the write, the last of each warp and scope
    bool raced = false;
  };
  struct Granule {
    unsigned shift = 4;  ///< log2 of a cell's bytes
    std::vector<Cell> cells = std::vector<Cell>(1);
  };
  static void split(Granule& granule, unsigned shift);
  static const Who* conflict(const Cell& cell, const Who& who, const Known& known);
  static void record(Cell& cell, const Who& who);

  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Granule> granules_;
};

}  // namespace tilewright::emulator
