// The rules for asynchronous copies. The destination is charged from the moment of issue: other
// warps' unordered reads race with the issue itself. A later access that is ordered after the issue
// but not after the wait lacks either the wait or the barrier behind it. Which one must not depend
// on who ran first, so it is asked of the program: did the accessing warp wait for its own copies
// of that round (then the barrier is missing)? If it had none, did the issuing warp itself get as
// far as the accessing instruction without waiting?
#include <algorithm>
#include <bit>

#include "emulator/race_judge.hpp"

namespace tilewright::emulator {

void Judge::record_issue(const WarpAccess& access, const Piece& piece, std::uint32_t order) {
  cells_.split_for(piece.granule, piece.offset, piece.bytes);
  cell_bytes_ = cells_.cell_bytes(piece.granule);
  const Cells::Id first = cells_.first_cell(piece.granule);
  for (unsigned at = piece.offset; at < piece.offset + piece.bytes; at += cell_bytes_) {
    const Cells::Id cell = first + at / cell_bytes_;
    WriteRecord& last = cells_.write(cell);
    if (last.slot() == slot_spoilt) continue;
    CopyRecord& copy = cells_.copy(cell);
    if (last.slot() == slot_in_flight && copy.time == access.time) {
      if (copy.lane != piece.lane)
        blame(FaultKind::data_race, Finding::Cause::one_instruction, access, piece.lane, cell,
              piece.granule_address + at, {Verb::copy, access.warp, copy.lane, access.site});
      continue;
    }
    if (last.slot() == slot_atomic) cells_.drop_atomics(cell);
    copy = {access.time, order, access.site, access.warp, piece.lane};
    last = WriteRecord::state(slot_in_flight, access.site, lane_bit(piece.lane));
  }
  join_if_equal(piece);
}

void Judge::complete(const WarpAccess& access, const Piece& piece) {
  cells_.split_for(piece.granule, piece.offset, piece.bytes);
  cell_bytes_ = cells_.cell_bytes(piece.granule);
  const Cells::Id first = cells_.first_cell(piece.granule);
  for (unsigned at = piece.offset; at < piece.offset + piece.bytes; at += cell_bytes_) {
    const Cells::Id cell = first + at / cell_bytes_;
    WriteRecord& last = cells_.write(cell);
    const CopyRecord& copy = cells_.copy(cell);
    const bool its_copy = copy.warp == access.warp && copy.lane == piece.lane;
    if (last.slot() == slot_in_flight && its_copy) {
      last = WriteRecord::by(access.time, access.warp, lane_bit(piece.lane), copy.site);
      last.stamp |= WriteRecord::asynchronous;
    } else if (last.slot() == slot_spoilt && last.site != 0 && its_copy) {
      resolve(cell, access, piece);
    }
  }
}

void Judge::clash_with_copy(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                            std::uint64_t address) {
  const CopyRecord copy = cells_.copy(cell);
  const WriteRecord last = cells_.write(cell);
  const bool waited = last.slot() != slot_in_flight;
  const Party other{Verb::copy, copy.warp, copy.lane, copy.site};
  const bool after_issue =
      clocks_.ordered(access.warp, piece.lane, copy.warp, lane_bit(copy.lane), copy.time);
  if (!after_issue)
    return blame(FaultKind::data_race, Finding::Cause::unordered, access, piece.lane, cell, address,
                 other);
  if (copy.warp == access.warp) {
    return waited ? blame(FaultKind::data_race, Finding::Cause::waited_without_barrier, access,
                          piece.lane, cell, address, other)
                  : blame(FaultKind::missing_wait, Finding::Cause::not_waited, access, piece.lane,
                          cell, address, other);
  }
  const Progress& mine = progress(copy.site, access.warp);
  if (mine.completed > copy.order)
    return blame(FaultKind::data_race, Finding::Cause::waited_without_barrier, access, piece.lane,
                 cell, address, other);
  if (mine.issued > copy.order)
    return blame(FaultKind::missing_wait, Finding::Cause::not_waited, access, piece.lane, cell,
                 address, other);
  const Finding finding{FaultKind::missing_wait,
                        Finding::Cause::not_waited,
                        address,
                        cell_bytes_,
                        {access.verb, access.warp, piece.lane, access.site},
                        other};
  const Suspicion suspicion{finding, true, access.time, copy};
  if (!waited) return spoil(cell, suspect(suspicion));
  if (passed_before(suspicion, last.time()))
    return blame(FaultKind::missing_wait, Finding::Cause::not_waited, access, piece.lane, cell,
                 address, other);
  blame(FaultKind::data_race, Finding::Cause::waited_without_barrier, access, piece.lane, cell,
        address, other);
}

/// Whether the issuing warp executed the suspected instruction itself, in the stretch between its
/// last barrier and its wait: then the program has no wait before that instruction.
bool Judge::passed_before(const Suspicion& suspicion, Clocks::Time waited) {
  const CopyRecord& copy = suspicion.copy;
  const Clocks::Time passed = progress(suspicion.finding.party.site, copy.warp).last_access;
  return passed > std::max(clocks_.last_barrier(copy.warp), copy.time) && passed < waited;
}

/// The copy behind a suspicion is waited for now, too late for the suspected access.
void Judge::resolve(Cells::Id cell, const WarpAccess& access, const Piece& piece) {
  const std::uint32_t number = cells_.write(cell).site;
  Suspicion& suspicion = suspicions_[number - 1];
  if (!suspicion.open || suspicion.finding.kind != FaultKind::missing_wait) return;
  const Party& party = suspicion.finding.party;
  const bool wait_is_later =
      clocks_.ordered(access.warp, piece.lane, party.warp, lane_bit(party.lane), suspicion.time);
  if (!wait_is_later && !passed_before(suspicion, access.time)) {
    suspicion.finding.kind = FaultKind::data_race;
    suspicion.finding.cause = Finding::Cause::waited_without_barrier;
  }
  confirm(number);
}

}  // namespace tilewright::emulator
