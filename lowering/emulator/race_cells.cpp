// Storage of cells: splitting a granule copies its history to the parts, joining keeps one part's.
// A granule's whole cell keeps its id while the granule is split, so that joining is cheap.
#include "emulator/race_cells.hpp"

#include <algorithm>
#include <bit>

namespace tilewright::emulator {

void Cells::start(std::uint32_t granules, unsigned warps, WriteRecord initial) {
  warps_ = warps;
  initial_ = initial;
  shape_.resize(granules);
  for (std::uint32_t i = 0; i < granules; ++i) shape_[i] = {i, 4};
  cells_ = granules;
  writes_.resize(granules);
  std::fill(writes_.begin(), writes_.end(), initial);
  if (copies_.size() < granules) copies_.resize(granules);
  if (reads_.size() < std::size_t{granules} * warps) reads_.resize(std::size_t{granules} * warps);
  for (auto& list : free_) list.clear();
  split_from_.clear();
  atomics_.clear();
  older_.clear();
}

std::uint32_t Cells::add_granule() {
  const Id cell = take_cells(4);
  shape_.push_back({cell, 4});
  writes_[cell] = initial_;
  copies_[cell] = {};
  std::fill_n(reads(cell), warps_, ReadRecord{});
  return granules() - 1;
}

Cells::Id Cells::take_cells(unsigned shift) {
  auto& list = free_[shift];
  if (!list.empty()) {
    const Id first = list.back();
    list.pop_back();
    return first;
  }
  const auto first = static_cast<Id>(cells_);
  cells_ += Cells::granule_bytes >> shift;
  // Grown by doubling: a granule of global memory is added at a time.
  auto grow = [](auto& records, std::size_t size) {
    if (records.size() < size) records.resize(std::max(size, records.size() * 2));
  };
  grow(writes_, cells_);
  grow(copies_, cells_);
  grow(reads_, cells_ * warps_);
  return first;
}

void Cells::assign(Id to, Id from) {
  writes_[to] = writes_[from];
  copies_[to] = copies_[from];
  std::copy_n(reads(from), warps_, reads(to));
  if (const auto found = atomics_.find(from); found != atomics_.end()) {
    auto copy = found->second;
    atomics_[to] = std::move(copy);
  } else {
    drop_atomics(to);
  }
  if (older_.empty()) return;
  for (unsigned warp = 0; warp < warps_; ++warp) {
    for (const bool of_atomics : {false, true}) {
      const auto found = older_.find(key(from, warp, of_atomics));
      if (found != older_.end()) {
        auto copy = found->second;
        older_[key(to, warp, of_atomics)] = std::move(copy);
      } else {
        older_.erase(key(to, warp, of_atomics));
      }
    }
  }
}

void Cells::split_for(std::uint32_t granule, unsigned offset, unsigned bytes) {
  const auto needed = static_cast<unsigned>(std::countr_zero(offset | bytes | granule_bytes));
  const Shape old = shape_[granule];
  if (needed >= old.shift) return;
  const Id first = take_cells(needed);
  const unsigned parts = granule_bytes >> needed;
  for (unsigned i = 0; i < parts; ++i) assign(first + i, old.first + (i >> (old.shift - needed)));
  if (old.shift == 4) {
    split_from_[granule] = old.first;
  } else {
    give_back(old.first, old.shift);
  }
  shape_[granule] = {first, static_cast<std::uint8_t>(needed)};
}

void Cells::join(std::uint32_t granule) {
  const Shape old = shape_[granule];
  if (old.shift == 4) return;
  const auto whole = split_from_.find(granule);
  assign(whole->second, old.first);
  give_back(old.first, old.shift);
  shape_[granule] = {whole->second, 4};
  split_from_.erase(whole);
}

void Cells::begin_atomics(Id cell, std::uint32_t suspicion) {
  atomics_[cell] = {writes_[cell], std::vector<ReadRecord>(warps_)};
  writes_[cell] = WriteRecord::state(slot_atomic, suspicion);
}

void Cells::give_back(Id first, unsigned shift) { free_[shift].push_back(first); }

}  // namespace tilewright::emulator
