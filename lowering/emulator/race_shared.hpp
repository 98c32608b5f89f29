// Shared memory of one block under the rules: lanes' addresses become pieces of granules.
// The common access is a whole granule per lane (ldmatrix rows, 16-byte copies and vectors) that is
// ordered after the last write; it is settled here with one comparison, everything else is
// race_judge.hpp's.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "emulator/race_judge.hpp"

namespace tilewright::emulator {

class SharedRaces {
 public:
  SharedRaces(Clocks& clocks, Cells& cells, FindingListener& listener);

  void read(WarpAccess access, std::uint32_t lanes);
  void write(WarpAccess access, std::uint32_t lanes);
  void atomic(WarpAccess access, std::uint32_t lanes) { write(access, lanes); }
  void issue(WarpAccess access, std::uint32_t lanes);
  void complete(WarpAccess access, std::uint32_t lanes);
  void finish() { judge_.finish(); }
  /// All warps passed a barrier together: earlier reads are ordered before whatever comes.
  void everyone_joined() { reads_.clear(); }

  /// Whether a fault was found at this byte.
  bool is_spoilt(std::uint32_t byte) const { return judge_.is_spoilt(byte / 16, byte % 16); }

 private:
  /// Reads of whole granules that were found ordered and are not in the cells yet. Most never get
  /// there: they only matter to a write that comes before the next barrier of all warps.
  struct KeptRead {
    Clocks::Time time, floor;
    std::uint32_t lanes, site, warp;
    std::array<std::uint16_t, 32> granule;  ///< of those lanes; shared memory has fewer than 2^16
  };

  template <typename Body>
  void each_piece(const WarpAccess& access, unsigned lane, Body&& body) const;
  void record_reads();
  bool is_settled(const WarpAccess& access, std::uint32_t lanes);
  void check(const WarpAccess& access, std::uint32_t lanes);

  Clocks& clocks_;
  Cells& cells_;
  Judge judge_;
  std::vector<KeptRead> reads_;
};

}  // namespace tilewright::emulator
