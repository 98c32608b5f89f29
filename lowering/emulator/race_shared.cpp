// Lanes to pieces, and the two fast paths. A fast path may only settle what the judge would find
// ordered; it records exactly what the judge would record.
#include "emulator/race_shared.hpp"

#include <algorithm>
#include <bit>

namespace tilewright::emulator {
namespace {

unsigned lowest(std::uint32_t lanes) { return static_cast<unsigned>(std::countr_zero(lanes)); }

}  // namespace

SharedRaces::SharedRaces(Clocks& clocks, Cells& cells, FindingListener& listener)
    : clocks_(clocks), cells_(cells), judge_(clocks, cells, listener) {}

template <typename Body>
void SharedRaces::each_piece(const WarpAccess& access, unsigned lane, Body&& body) const {
  std::uint32_t at = access.shared_address[lane];
  const std::uint64_t end = std::uint64_t{at} + access.bytes;
  while (at < end) {
    const std::uint32_t granule = at / Cells::granule_bytes;
    if (granule >= cells_.granules()) return;  // outside the window: the engine has reported it
    const unsigned offset = at % Cells::granule_bytes;
    const auto bytes =
        static_cast<unsigned>(std::min<std::uint64_t>(end - at, Cells::granule_bytes - offset));
    body(Piece{granule, lane, offset, bytes, std::uint64_t{granule} * Cells::granule_bytes});
    at += bytes;
  }
}

void SharedRaces::read(WarpAccess access, std::uint32_t lanes) {
  access.time = clocks_.tick();
  const unsigned warp = access.warp;
  judge_.progress(access.site, warp).last_access = access.time;
  std::uint32_t unsettled = lanes;
  if (clocks_.partial_at(warp) == 0 && access.verb == Verb::read) {
    constexpr std::size_t most = 1024;
    if (reads_.size() >= most) record_reads();
    const Cells::Arrays cells = cells_.arrays();
    const Clocks::Time* row = clocks_.row(warp);
    KeptRead& kept = reads_.emplace_back();
    for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
      const unsigned lane = lowest(rest);
      const std::uint32_t at = access.shared_address[lane];
      if (!cells.is_whole(at, access.bytes)) continue;
      const std::uint32_t granule = at / Cells::granule_bytes;
      const Cells::Id cell = cells.first_cell(granule);
      const WriteRecord& last = cells.writes[cell];
      if (last.time() > row[last.slot()]) continue;
      kept.granule[lane] = static_cast<std::uint16_t>(granule);
      cells.latest_read[Cells::line_of(cell)] = access.time;
      unsettled ^= lane_bit(lane);
    }
    if (unsettled == lanes) {
      reads_.pop_back();
    } else {
      kept.time = access.time;
      kept.floor = row[warp];
      kept.lanes = lanes & ~unsettled;
      kept.site = access.site;
      kept.warp = warp;
    }
  }
  if (unsettled == 0) return;
  record_reads();
  for (; unsettled; unsettled &= unsettled - 1)
    each_piece(access, lowest(unsettled), [&](const Piece& piece) { judge_.read(access, piece); });
}

/// Puts the kept reads into the cells, in the order they came. No granule was split since: what
/// splits records first.
void SharedRaces::record_reads() {
  const Cells::Arrays cells = cells_.arrays();
  for (const KeptRead& kept : reads_) {
    ReadRecord* const of_warp = cells.reads[kept.warp].data();
    for (std::uint32_t rest = kept.lanes; rest; rest &= rest - 1) {
      const unsigned lane = lowest(rest);
      ReadRecord& mine = of_warp[cells.first_cell(kept.granule[lane])];
      const std::uint32_t before = mine.time > kept.floor ? mine.lanes : 0;
      mine = {kept.time, before | lane_bit(lane), kept.site};
    }
  }
  reads_.clear();
}

/// Whether all lanes write whole granules, ordered after everything: then the judge's first pass
/// would find nothing.
bool SharedRaces::is_settled(const WarpAccess& access, std::uint32_t lanes) {
  if (clocks_.partial_at(access.warp) != 0) return false;
  const Cells::Arrays cells = cells_.arrays();
  const Clocks::Time* row = clocks_.row(access.warp);
  const Clocks::Time known_to_all = *std::min_element(row, row + cells.warps);
  for (; lanes; lanes &= lanes - 1) {
    const unsigned lane = lowest(lanes);
    const std::uint32_t at = access.shared_address[lane];
    if (!cells.is_whole(at, access.bytes)) return false;
    const Cells::Id cell = cells.first_cell(at / Cells::granule_bytes);
    const WriteRecord& last = cells.writes[cell];
    if (last.slot() != slot_unwritten && last.time() > row[last.slot()]) return false;
    if (cells.latest_read[Cells::line_of(cell)] <= known_to_all) continue;
    if (!reads_.empty()) record_reads();
    bool ordered = true;
    for (unsigned warp = 0; warp < cells.warps; ++warp)
      ordered &= cells.reads[warp][cell].time <= row[warp];
    if (!ordered) return false;
  }
  return true;
}

void SharedRaces::check(const WarpAccess& access, std::uint32_t lanes) {
  record_reads();
  for (; lanes; lanes &= lanes - 1)
    each_piece(access, lowest(lanes), [&](const Piece& piece) { judge_.check(access, piece); });
}

void SharedRaces::write(WarpAccess access, std::uint32_t lanes) {
  access.time = clocks_.tick();
  judge_.progress(access.site, access.warp).last_access = access.time;
  if (!is_settled(access, lanes)) check(access, lanes);
  record_reads();
  for (; lanes; lanes &= lanes - 1)
    each_piece(access, lowest(lanes), [&](const Piece& piece) { judge_.record(access, piece); });
}

void SharedRaces::issue(WarpAccess access, std::uint32_t lanes) {
  access.time = clocks_.tick();
  Judge::Progress& progress = judge_.progress(access.site, access.warp);
  progress.last_access = access.time;
  const std::uint32_t order = progress.issued++;
  std::uint32_t unsettled = lanes;
  if (is_settled(access, lanes)) {
    const Cells::Arrays cells = cells_.arrays();
    for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
      const unsigned lane = lowest(rest);
      const Cells::Id cell = cells.first_cell(access.shared_address[lane] / Cells::granule_bytes);
      // Another lane of this instruction may have been here.
      if (cells.copies[cell].time == access.time) continue;
      cells.copies[cell] = {access.time, order, access.site, access.warp, lane};
      cells.writes[cell] = WriteRecord::state(slot_in_flight, access.site, lane_bit(lane));
      unsettled ^= lane_bit(lane);
    }
  } else {
    check(access, lanes);
  }
  if (unsettled != 0) record_reads();
  for (; unsettled; unsettled &= unsettled - 1)
    each_piece(access, lowest(unsettled),
               [&](const Piece& piece) { judge_.record_issue(access, piece, order); });
}

void SharedRaces::complete(WarpAccess access, std::uint32_t lanes) {
  access.time = clocks_.tick();
  judge_.progress(access.site, access.warp).completed++;
  std::uint32_t unsettled = lanes;
  const Cells::Arrays cells = cells_.arrays();
  for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
    const unsigned lane = lowest(rest);
    const std::uint32_t at = access.shared_address[lane];
    if (!cells.is_whole(at, access.bytes)) continue;
    const Cells::Id cell = cells.first_cell(at / Cells::granule_bytes);
    const CopyRecord& copy = cells.copies[cell];
    WriteRecord& last = cells.writes[cell];
    if (last.slot() != slot_in_flight || copy.warp != access.warp || copy.lane != lane) continue;
    last = WriteRecord::by(access.time, access.warp, lane_bit(lane), copy.site);
    last.stamp |= WriteRecord::asynchronous;
    unsettled ^= lane_bit(lane);
  }
  if (unsettled != 0) record_reads();
  for (; unsettled; unsettled &= unsettled - 1)
    each_piece(access, lowest(unsettled),
               [&](const Piece& piece) { judge_.complete(access, piece); });
}

}  // namespace tilewright::emulator
