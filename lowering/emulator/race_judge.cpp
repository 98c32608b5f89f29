// The rules for plain reads, writes and atomics. See race_judge.hpp for the principle and
// race_copies.cpp for asynchronous copies.
#include "emulator/race_judge.hpp"

#include <algorithm>
#include <bit>

namespace tilewright::emulator {
namespace {

unsigned first_lane(std::uint32_t lanes) { return static_cast<unsigned>(std::countr_zero(lanes)); }

/// A lane of `lanes` other than `lane`, if there is one.
unsigned stranger(std::uint32_t lanes, unsigned lane) {
  const std::uint32_t others = lanes & ~lane_bit(lane);
  return first_lane(others ? others : lanes);
}

}  // namespace

template <typename Body>
void Judge::each_cell(const Piece& piece, Body&& body) {
  cells_.split_for(piece.granule, piece.offset, piece.bytes);
  cell_bytes_ = cells_.cell_bytes(piece.granule);
  const Cells::Id first = cells_.first_cell(piece.granule);
  for (unsigned at = piece.offset; at < piece.offset + piece.bytes; at += cell_bytes_)
    body(first + at / cell_bytes_, piece.granule_address + at);
}

void Judge::read(const WarpAccess& access, const Piece& piece) {
  each_cell(piece, [&](Cells::Id cell, std::uint64_t address) {
    read_cell(access, piece, cell, address);
  });
}

void Judge::read_cell(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                      std::uint64_t address) {
  WriteRecord& last = cells_.write(cell);
  switch (last.slot()) {
    case slot_spoilt: return;
    case slot_in_flight: return clash_with_copy(access, piece, cell, address);
    case slot_suspected:
      if (access.verb == Verb::strong_read) return;
      break;
    case slot_unwritten: {
      const Finding finding{FaultKind::uninitialized_read,
                            Finding::Cause::unwritten,
                            address,
                            cell_bytes_,
                            {access.verb, access.warp, piece.lane, access.site},
                            {}};
      last = WriteRecord::state(slot_suspected, suspect({finding, true, access.time, {}}));
      if (access.verb == Verb::strong_read) return;
      break;
    }
    case slot_atomic:
      if (access.verb == Verb::read && !check_atomics(access, piece, cell, address)) return;
      if (!check_writer(access, piece, cell, address, cells_.atomics(cell).before)) return;
      break;
    default: {
      // A lane that stored the same value in the same instruction reads what it wrote.
      const bool own = last.slot() == access.warp && (last.lanes & lane_bit(piece.lane));
      if (own || clocks_.ordered(access.warp, piece.lane, last.slot(), last.lanes, last.time()))
        break;
      if (last.was_copied()) return clash_with_copy(access, piece, cell, address);
      return blame(FaultKind::data_race, Finding::Cause::unordered, access, piece.lane, cell,
                   address,
                   {Verb::write, last.slot(), stranger(last.lanes, piece.lane), last.site});
    }
  }
  if (access.verb == Verb::strong_read) return record_strong_read(access, cell, piece.lane);
  record_read(access, cell, piece.lane, clocks_.row(access.warp)[access.warp],
              clocks_.partial_at(access.warp), false);
}

void Judge::record_strong_read(const WarpAccess& access, Cells::Id cell, unsigned lane) {
  if (cells_.write(cell).slot() != slot_atomic) cells_.begin_atomics(cell, 0);
  ReadRecord& record = cells_.atomics(cell).strong_reads[access.warp];
  const bool synchronised = record.time <= clocks_.row(access.warp)[access.warp];
  record = {access.time, lane_bit(lane) | (synchronised ? 0u : record.lanes), access.site};
}

void Judge::record_read(const WarpAccess& access, Cells::Id cell, unsigned lane, Clocks::Time floor,
                        Clocks::Time partial, bool as_atomic) {
  ReadRecord record =
      as_atomic ? cells_.atomics(cell).by_warp[access.warp] : cells_.read(cell, access.warp);
  const std::uint32_t bit = lane_bit(lane);
  if (record.time > floor && record.time <= partial) {
    // Some lanes synchronised since: the earlier reads keep their own time.
    cells_.older(cell, access.warp, as_atomic).push_back(record);
    record = {access.time, bit, access.site};
  } else {
    record = {access.time, record.time > floor ? record.lanes | bit : bit, access.site};
  }
  if (as_atomic) {
    cells_.atomics(cell).by_warp[access.warp] = record;
  } else {
    cells_.set_read(cell, access.warp, record);
  }
}

void Judge::record_late(const WarpAccess& access, const Piece& piece, Clocks::Time floor,
                        Clocks::Time partial) {
  each_cell(piece, [&](Cells::Id cell, std::uint64_t) {
    const bool as_atomic = access.verb == Verb::atomic;
    WriteRecord& last = cells_.write(cell);
    if (last.slot() == slot_spoilt) return;
    if (access.verb == Verb::strong_read) return record_strong_read(access, cell, piece.lane);
    if (as_atomic && last.slot() != slot_atomic) cells_.begin_atomics(cell, 0);
    record_read(access, cell, piece.lane, floor, partial, as_atomic);
  });
}

void Judge::check(const WarpAccess& access, const Piece& piece) {
  each_cell(piece, [&](Cells::Id cell, std::uint64_t address) {
    check_cell(access, piece, cell, address);
  });
}

bool Judge::check_cell(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                       std::uint64_t address) {
  const WriteRecord last = cells_.write(cell);
  switch (last.slot()) {
    case slot_spoilt: return false;
    case slot_in_flight: clash_with_copy(access, piece, cell, address); return false;
    case slot_unwritten: break;
    case slot_suspected:
      // The suspicion stays: another warp may still turn out to write here without order.
      if (!check_readers(access, piece, cell, address)) return false;
      cells_.write(cell) = WriteRecord::state(slot_unwritten);
      return true;
    case slot_atomic:
      if (access.verb != Verb::atomic) {
        if (!check_atomics(access, piece, cell, address)) return false;
        if (!check_strong_reads(access, piece, cell, address)) return false;
        if (!check_writer(access, piece, cell, address, cells_.atomics(cell).before)) return false;
        if (!check_readers(access, piece, cell, address)) return false;
        cells_.write(cell).site = 0;
        return true;
      }
      if (!check_writer(access, piece, cell, address, cells_.atomics(cell).before)) return false;
      break;
    default:
      if (!check_writer(access, piece, cell, address, last)) return false;
  }
  return check_readers(access, piece, cell, address);
}

bool Judge::check_writer(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                         std::uint64_t address, const WriteRecord& last) {
  if (last.slot() >= slot_unwritten ||
      clocks_.ordered(access.warp, piece.lane, last.slot(), last.lanes, last.time()))
    return true;
  if (last.was_copied()) {
    clash_with_copy(access, piece, cell, address);
  } else {
    blame(FaultKind::data_race, Finding::Cause::unordered, access, piece.lane, cell, address,
          {Verb::write, last.slot(), stranger(last.lanes, piece.lane), last.site});
  }
  return false;
}

bool Judge::check_readers(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                          std::uint64_t address) {
  const Clocks::Time* row = clocks_.row(access.warp);
  if (cells_.latest_read(cell) <= *std::min_element(row, row + cells_.warps())) return true;
  return check_list(
      access, piece, cell, address,
      [&](unsigned warp) -> const ReadRecord& { return cells_.read(cell, warp); }, false);
}

bool Judge::check_atomics(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                          std::uint64_t address) {
  const ReadRecord* by_warp = cells_.atomics(cell).by_warp.data();
  return check_list(
      access, piece, cell, address,
      [by_warp](unsigned warp) -> const ReadRecord& { return by_warp[warp]; }, true);
}

bool Judge::check_strong_reads(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                               std::uint64_t address) {
  const ReadRecord* by_warp = cells_.atomics(cell).strong_reads.data();
  return check_list(
      access, piece, cell, address,
      [by_warp](unsigned warp) -> const ReadRecord& { return by_warp[warp]; }, false);
}

template <typename ByWarp>
bool Judge::check_list(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                       std::uint64_t address, ByWarp record_of, bool of_atomics) {
  const Clocks::Time* row = clocks_.row(access.warp);
  auto clashes = [&](unsigned warp, const ReadRecord& record) {
    if (record.time <= row[warp] ||
        clocks_.ordered(access.warp, piece.lane, warp, record.lanes, record.time))
      return false;
    blame(FaultKind::data_race, Finding::Cause::unordered, access, piece.lane, cell, address,
          {of_atomics ? Verb::atomic : Verb::read, warp,
           warp == access.warp ? stranger(record.lanes, piece.lane) : first_lane(record.lanes),
           record.site});
    return true;
  };
  for (unsigned warp = 0; warp < cells_.warps(); ++warp)
    if (clashes(warp, record_of(warp))) return false;
  if (const auto* older = cells_.find_older(cell, access.warp, of_atomics))
    for (const ReadRecord& record : *older)
      if (clashes(access.warp, record)) return false;
  return true;
}

void Judge::record(const WarpAccess& access, const Piece& piece) {
  each_cell(piece, [&](Cells::Id cell, std::uint64_t address) {
    record_cell(access, piece, cell, address);
  });
  if (access.verb != Verb::atomic) join_if_equal(piece);
}

void Judge::record_cell(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                        std::uint64_t address) {
  WriteRecord& last = cells_.write(cell);
  if (last.slot() == slot_spoilt) return;
  if (access.verb == Verb::atomic) {
    if (last.slot() != slot_atomic) {
      std::uint32_t suspicion = 0;
      if (last.slot() == slot_unwritten && !access.only_writes) {
        const Finding finding{FaultKind::uninitialized_read,
                              Finding::Cause::unwritten,
                              address,
                              cell_bytes_,
                              {access.verb, access.warp, piece.lane, access.site},
                              {}};
        suspicion = suspect({finding, true, access.time, {}});
      }
      cells_.begin_atomics(cell, suspicion);
    }
    return record_read(access, cell, piece.lane, clocks_.row(access.warp)[access.warp],
                       clocks_.partial_at(access.warp), true);
  }
  if (last.slot() == access.warp && last.time() == access.time) {
    const unsigned other = first_lane(last.lanes);
    if (other == piece.lane || same_values(access, piece.lane, other, address, cell_bytes_)) {
      last.lanes |= lane_bit(piece.lane);
      return;
    }
    return blame(FaultKind::data_race, Finding::Cause::one_instruction, access, piece.lane, cell,
                 address, {Verb::write, access.warp, other, access.site});
  }
  if (last.slot() == slot_atomic) cells_.drop_atomics(cell);
  last = WriteRecord::by(access.time, access.warp, lane_bit(piece.lane), access.site);
}

bool Judge::same_values(const WarpAccess& access, unsigned lane, unsigned other,
                        std::uint64_t address, unsigned bytes) const {
  if (!access.value) return false;
  const std::uint8_t* mine =
      access.value + lane * access.bytes + (address - access.address_of(lane));
  const std::uint8_t* theirs =
      access.value + other * access.bytes + (address - access.address_of(other));
  return std::equal(mine, mine + bytes, theirs);
}

void Judge::join_if_equal(const Piece& piece) {
  if (piece.bytes != Cells::granule_bytes || cells_.is_whole(piece.granule)) return;
  const Cells::Id first = cells_.first_cell(piece.granule);
  const unsigned parts = Cells::granule_bytes / cells_.cell_bytes(piece.granule);
  const WriteRecord& model = cells_.write(first);
  if (model.slot() == slot_spoilt) return;
  for (unsigned i = 1; i < parts; ++i) {
    const WriteRecord& part = cells_.write(first + i);
    if (part.stamp != model.stamp || part.lanes != model.lanes) return;
    if (cells_.copy(first + i).time != cells_.copy(first).time &&
        (model.slot() == slot_in_flight || model.was_copied()))
      return;
  }
  cells_.join(piece.granule);
}

void Judge::blame(FaultKind kind, Finding::Cause cause, const WarpAccess& access, unsigned lane,
                  Cells::Id cell, std::uint64_t address, Party other) {
  spoil(cell);
  withdraw(address, address + cell_bytes_);
  listener_.found(
      {kind, cause, address, cell_bytes_, {access.verb, access.warp, lane, access.site}, other});
}

void Judge::spoil(Cells::Id cell, std::uint32_t suspicion) {
  WriteRecord& last = cells_.write(cell);
  const bool suspected = last.slot() == slot_suspected || last.slot() == slot_atomic;
  if (suspected && last.site != 0) suspicions_[last.site - 1].open = false;
  if (last.slot() == slot_atomic) cells_.drop_atomics(cell);
  last = WriteRecord::state(slot_spoilt, suspicion);
}

std::uint32_t Judge::suspect(Suspicion suspicion) {
  suspicions_.push_back(suspicion);
  const auto number = static_cast<std::uint32_t>(suspicions_.size());
  if (suspicion.finding.cause == Finding::Cause::unwritten)
    unwritten_[suspicion.finding.address / Cells::granule_bytes].push_back(number);
  return number;
}

/// A race on these bytes explains why someone read them before they were written.
void Judge::withdraw(std::uint64_t begin, std::uint64_t end) {
  if (unwritten_.empty()) return;
  const auto found = unwritten_.find(begin / Cells::granule_bytes);
  if (found == unwritten_.end()) return;
  for (const std::uint32_t number : found->second) {
    Suspicion& suspicion = suspicions_[number - 1];
    const std::uint64_t first = suspicion.finding.address;
    if (first < end && begin < first + suspicion.finding.bytes) suspicion.open = false;
  }
}

void Judge::confirm(std::uint32_t suspicion) {
  if (suspicion == 0) return;
  Suspicion& suspected = suspicions_[suspicion - 1];
  if (!suspected.open) return;
  suspected.open = false;
  listener_.found(suspected.finding);
}

void Judge::finish() {
  for (std::uint32_t i = 1; i <= suspicions_.size(); ++i) confirm(i);
  suspicions_.clear();
  unwritten_.clear();
}

bool Judge::is_spoilt(std::uint32_t granule, unsigned offset) const {
  const Cells::Id cell = cells_.first_cell(granule) + offset / cells_.cell_bytes(granule);
  return cells_.write(cell).slot() == slot_spoilt;
}

}  // namespace tilewright::emulator
