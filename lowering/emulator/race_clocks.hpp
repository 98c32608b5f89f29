// Who knows what: the happens-before order of one thread block.
// Time is one counter per block, advanced by every access, so an access is the number it was given.
// Barriers join whole warps; a row per warp therefore says up to which time each warp's accesses
// are ordered before its next one. Inside a warp the same number counts for all lanes as long as
// all lanes synchronise together; only a synchronisation of some lanes needs a row per lane.
// Used by race_judge.hpp, which holds the rules.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

namespace tilewright::emulator {

constexpr std::uint32_t lane_bit(unsigned lane) { return std::uint32_t{1} << lane; }

class Clocks {
 public:
  using Time = std::uint64_t;
  static constexpr unsigned row_length = 40;  ///< 32 warps, and slots that are never known

  /// `now`: the time at which the block starts; earlier times are ordered before everything.
  Clocks(unsigned warps, std::uint64_t threads, Time now);

  Time now() const { return now_; }
  Time tick() { return ++now_; }

  void barrier(std::uint32_t warps);
  /// What `row` says of each warp's accesses is ordered before the next access of `warp`.
  void acquire(unsigned warp, const Time* row) {
    for (std::size_t k = 0; k < rows_.size(); ++k)
      rows_[warp][k] = row[k] > rows_[warp][k] ? row[k] : rows_[warp][k];
  }
  void warp_sync(unsigned warp, std::uint32_t lanes) {
    if ((lanes & existing_[warp]) == existing_[warp]) {
      rows_[warp][warp] = now_;
      partial_at_[warp] = 0;
    } else {
      partial_sync(warp, lanes);
    }
  }

  /// Row of a warp, indexed by warp: accesses up to that time are ordered before its next access.
  /// Its own entry is the last time at which all its lanes synchronised.
  const Time* row(unsigned warp) const { return rows_[warp].data(); }
  Time last_barrier(unsigned warp) const { return barrier_at_[warp]; }

  /// Time of the last synchronisation of only some lanes since the last of all; 0: none.
  Time partial_at(unsigned warp) const { return partial_at_[warp]; }

  /// Whether an access by `lanes` of `other` at `time` is ordered before the next access of `lane`
  /// of `warp`. The lane's own accesses are.
  bool ordered(unsigned warp, unsigned lane, unsigned other, std::uint32_t lanes, Time time) const {
    if (time <= rows_[warp][other]) return true;
    if (warp != other) return false;
    const std::uint32_t strangers = lanes & ~lane_bit(lane);
    return strangers == 0 || (partial_at_[warp] != 0 && lanes_ordered(warp, lane, strangers, time));
  }

 private:
  using LaneRows = std::array<std::array<Time, 32>, 32>;
  void partial_sync(unsigned warp, std::uint32_t lanes);
  bool lanes_ordered(unsigned warp, unsigned lane, std::uint32_t lanes, Time time) const;

  Time now_;
  std::vector<std::array<Time, row_length>> rows_;
  std::vector<Time> barrier_at_, partial_at_;
  std::vector<std::uint32_t> existing_;  ///< lanes the block has in each warp
  std::vector<std::unique_ptr<LaneRows>> lane_rows_;
};

}  // namespace tilewright::emulator
