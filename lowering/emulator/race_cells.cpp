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
  whole_.resize(granules);
  for (std::uint32_t i = 0; i < granules; ++i) {
    shape_[i] = {i, 4};
    whole_[i] = i;
  }
  cells_ = granules;
  writes_.resize(granules);
  std::fill(writes_.begin(), writes_.end(), initial);
  if (copies_.size() < granules) copies_.resize(granules);
  if (reads_.size() < warps) reads_.resize(warps);
  for (auto& of_warp : reads_)
    if (of_warp.size() < granules) of_warp.resize(granules);
  if (latest_read_.size() <= line_of(granules)) latest_read_.resize(line_of(granules) + 1);
  for (auto& list : free_) list.clear();
  atomics_.clear();
  older_.clear();
}

std::uint32_t Cells::add_granule() {
  const Id cell = take_cells(4);
  shape_.push_back({cell, 4});
  whole_.push_back(cell);
  writes_[cell] = initial_;
  copies_[cell] = {};
  for (auto& of_warp : reads_) of_warp[cell] = {};
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
  for (auto& of_warp : reads_) grow(of_warp, cells_);
  grow(latest_read_, line_of(static_cast<Id>(cells_)) + 1);
  return first;
}

void Cells::assign(Id to, Id from, unsigned parts, unsigned shift) {
  for (unsigned i = 0; i < parts; ++i) {
    const Id source = from + (i >> shift);
    writes_[to + i] = writes_[source];
    copies_[to + i] = copies_[source];
    note_read(to + i, latest_read(source));
  }
  for (unsigned warp = 0; warp < warps_; ++warp) {
    ReadRecord* reads = reads_[warp].data();
    for (unsigned i = 0; i < parts; ++i) reads[to + i] = reads[from + (i >> shift)];
  }
  if (atomics_.empty() && older_.empty()) return;
  for (unsigned i = 0; i < parts; ++i) assign_rare(to + i, from + (i >> shift));
}

/// What few cells have.
void Cells::assign_rare(Id to, Id from) {
  if (!atomics_.empty()) {
    if (const auto found = atomics_.find(from); found != atomics_.end()) {
      auto copy = found->second;
      atomics_[to] = std::move(copy);
    } else {
      drop_atomics(to);
    }
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
  assign(first, old.first, parts, old.shift - needed);
  if (old.shift != 4) give_back(old.first, old.shift);
  shape_[granule] = {first, static_cast<std::uint8_t>(needed)};
}

void Cells::join(std::uint32_t granule) {
  const Shape old = shape_[granule];
  if (old.shift == 4) return;
  const Id whole = whole_[granule];
  assign(whole, old.first);
  give_back(old.first, old.shift);
  shape_[granule] = {whole, 4};
}

void Cells::begin_atomics(Id cell, std::uint32_t suspicion) {
  atomics_[cell] = {writes_[cell], std::vector<ReadRecord>(warps_),
                    std::vector<ReadRecord>(warps_)};
  writes_[cell] = WriteRecord::state(slot_atomic, suspicion);
}

void Cells::give_back(Id first, unsigned shift) { free_[shift].push_back(first); }

}  // namespace tilewright::emulator
