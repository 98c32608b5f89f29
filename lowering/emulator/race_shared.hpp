// Shared memory of one block under the rules: lanes' addresses become pieces of granules.
// The common access is a whole granule per lane (ldmatrix rows, 16-byte copies and vectors) that is
// ordered after the last write; it is settled here with one comparison, everything else is
// race_judge.hpp's.
#pragma once

#include <cstdint>

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

  /// Whether a fault was found at this byte.
  bool is_spoilt(std::uint32_t byte) const { return judge_.is_spoilt(byte / 16, byte % 16); }

 private:
  template <typename Body>
  void each_piece(const WarpAccess& access, unsigned lane, Body&& body) const;
  bool is_settled(const WarpAccess& access, std::uint32_t lanes);
  void check(const WarpAccess& access, std::uint32_t lanes);

  Clocks& clocks_;
  Cells& cells_;
  Judge judge_;
};

}  // namespace tilewright::emulator
