// Joins of knowledge (see race_order.hpp). A publication is looked up under the launch's lock when
// the address is global; shared memory's belong to the block.
#include "emulator/race_order.hpp"

#include <algorithm>

namespace tilewright::emulator {

void Knowledge::join(std::uint32_t block, const Row& row) {
  const auto [found, added] = rows_.try_emplace(block, row);
  if (added) return;
  for (std::size_t k = 0; k < row.size(); ++k)
    found->second[k] = std::max(found->second[k], row[k]);
}

void Knowledge::join(const Knowledge& other) {
  for (const auto& [block, row] : other.rows_) join(block, row);
}

bool Knowledge::has(std::uint32_t block, unsigned warp, Clocks::Time time) const {
  const Row* row = find(block);
  return row != nullptr && time <= (*row)[warp];
}

const Knowledge::Row* Knowledge::find(std::uint32_t block) const {
  const auto found = rows_.find(block);
  return found == rows_.end() ? nullptr : &found->second;
}

WarpOrder::WarpOrder(LaunchOrder& launch, Clocks& clocks, std::uint32_t block, unsigned warps)
    : launch_(launch), clocks_(clocks), block_(block), warps_(warps) {}

/// All that is ordered before the next access of the warp, its own accesses included.
Knowledge WarpOrder::now(unsigned warp) const {
  Knowledge all = warps_[warp].seen;
  Knowledge::Row row{};
  std::copy_n(clocks_.row(warp), std::min<std::size_t>(warps_.size(), row.size()), row.begin());
  row[warp] = clocks_.now();
  all.join(block_, row);
  return all;
}

void WarpOrder::acquire(unsigned warp, const Knowledge& knowledge) {
  if (knowledge.empty()) return;
  if (const Knowledge::Row* own = knowledge.find(block_)) clocks_.acquire(warp, own->data());
  warps_[warp].seen.join(knowledge);
  warps_[warp].seen.forget(block_);
}

void WarpOrder::publish(bool shared, std::uint64_t address, unsigned warp, const Strong& strong) {
  if (strong.kind == Strong::Kind::read) return;
  const PerWarp& mine = warps_[warp];
  const Knowledge released = strong.release ? now(warp) : Knowledge{};
  const Knowledge& device = strong.release ? released : mine.fenced_device;
  const Knowledge& block = strong.release ? released : mine.fenced_block;
  std::unique_lock<std::mutex> lock;
  if (!shared) lock = std::unique_lock(launch_.mutex);
  auto& all = shared ? shared_ : launch_.published;
  if (strong.kind == Strong::Kind::write) all.erase(address);
  if (block.empty()) return;
  Publication& publication = all[address];
  if (!strong.block_scope) publication.wide.join(device);
  publication.narrow[block_].join(block);
}

void WarpOrder::observe(bool shared, std::uint64_t address, unsigned warp, const Strong& strong) {
  if (strong.kind == Strong::Kind::write) return;
  std::unique_lock<std::mutex> lock;
  if (!shared) lock = std::unique_lock(launch_.mutex);
  const auto& all = shared ? shared_ : launch_.published;
  const auto found = all.find(address);
  if (found == all.end()) return;
  PerWarp& mine = warps_[warp];
  const auto narrow = found->second.narrow.find(block_);
  if (strong.acquire) {
    if (!strong.block_scope) acquire(warp, found->second.wide);
    if (narrow != found->second.narrow.end()) acquire(warp, narrow->second);
    return;
  }
  if (!strong.block_scope) mine.pending_device.join(found->second.wide);
  if (narrow != found->second.narrow.end()) mine.pending_block.join(narrow->second);
}

void WarpOrder::fence(unsigned warp, bool device_scope) {
  PerWarp& mine = warps_[warp];
  acquire(warp, mine.pending_block);
  mine.pending_block = {};
  if (device_scope) {
    acquire(warp, mine.pending_device);
    mine.pending_device = {};
  }
  mine.fenced_block = now(warp);
  if (device_scope) mine.fenced_device = mine.fenced_block;
}

void WarpOrder::complete_phase(std::uint32_t address) {
  Knowledge& phase = phases_[address];
  phase = {};
  const auto arrivals = shared_.find(address);
  if (arrivals == shared_.end()) return;
  const auto mine = arrivals->second.narrow.find(block_);
  if (mine != arrivals->second.narrow.end()) phase = std::move(mine->second);
  shared_.erase(arrivals);
}

void WarpOrder::pass_phase(unsigned warp, std::uint32_t address) {
  const auto phase = phases_.find(address);
  if (phase != phases_.end()) acquire(warp, phase->second);
}

void WarpOrder::barrier(std::uint32_t warps) {
  PerWarp joined;
  const auto each = [&](auto&& body) {
    for (std::size_t warp = 0; warp < warps_.size(); ++warp) {
      if ((warps >> warp & 1) != 0) body(warps_[warp]);
    }
  };
  each([&](const PerWarp& one) {
    joined.seen.join(one.seen);
    joined.fenced_device.join(one.fenced_device);
    joined.fenced_block.join(one.fenced_block);
    joined.pending_device.join(one.pending_device);
    joined.pending_block.join(one.pending_block);
  });
  each([&](PerWarp& one) { one = joined; });
}

}  // namespace tilewright::emulator
