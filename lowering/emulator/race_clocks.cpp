// Joins of clock rows: barriers over warps, and synchronisations of some lanes of a warp.
// Joining is transitive: what a participant knew, all know afterwards.
#include "emulator/race_clocks.hpp"

#include <algorithm>

namespace tilewright::emulator {

Clocks::Clocks(unsigned warps, std::uint64_t threads, Time now)
    : now_(now),
      rows_(warps),
      barrier_at_(warps, now),
      partial_at_(warps, 0),
      existing_(warps, ~0u),
      lane_rows_(warps) {
  for (auto& row : rows_) {
    row.fill(0);
    std::fill_n(row.begin(), warps, now);
  }
  if (threads % 32 != 0 && warps != 0 && threads / 32 == warps - 1)
    existing_[warps - 1] = lane_bit(threads % 32) - 1;
}

void Clocks::barrier(std::uint32_t warps) {
  std::array<Time, row_length> joined{};
  const auto count = static_cast<unsigned>(rows_.size());
  for (unsigned warp = 0; warp < count; ++warp) {
    if (!(warps >> warp & 1)) continue;
    for (unsigned i = 0; i < row_length; ++i) joined[i] = std::max(joined[i], rows_[warp][i]);
    joined[warp] = now_;
  }
  for (unsigned warp = 0; warp < count; ++warp) {
    if (!(warps >> warp & 1)) continue;
    rows_[warp] = joined;
    barrier_at_[warp] = now_;
    partial_at_[warp] = 0;
  }
}

void Clocks::partial_sync(unsigned warp, std::uint32_t lanes) {
  auto& held = lane_rows_[warp];
  if (!held) held = std::make_unique<LaneRows>();
  LaneRows& known = *held;
  if (partial_at_[warp] == 0)
    for (auto& row : known) row.fill(rows_[warp][warp]);
  std::array<Time, 32> joined{};
  for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
    const auto lane = static_cast<unsigned>(std::countr_zero(rest));
    for (unsigned i = 0; i < 32; ++i) joined[i] = std::max(joined[i], known[lane][i]);
    joined[lane] = now_;
  }
  for (std::uint32_t rest = lanes; rest; rest &= rest - 1)
    known[static_cast<unsigned>(std::countr_zero(rest))] = joined;
  partial_at_[warp] = now_;
}

bool Clocks::lanes_ordered(unsigned warp, unsigned lane, std::uint32_t lanes, Time time) const {
  const auto& known = (*lane_rows_[warp])[lane];
  for (std::uint32_t rest = lanes; rest; rest &= rest - 1)
    if (known[static_cast<unsigned>(std::countr_zero(rest))] < time) return false;
  return true;
}

}  // namespace tilewright::emulator
