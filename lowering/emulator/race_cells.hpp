// What is remembered about bytes of memory: who wrote last, who read since, what is in flight.
// Memory is cut into granules of 16 bytes. A granule is one cell as long as every access covers all
// of it, and is split into smaller cells, down to a byte, when a smaller access arrives; a write
// over the whole granule joins them again. All bytes of a cell have the same history, so a verdict
// on a cell is exact for each of its bytes. The rules are in race_judge.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "emulator/race_clocks.hpp"

namespace tilewright::emulator {

/// Values of a write record's slot beyond the 32 warps: states that no warp's row ever covers.
enum Slot : unsigned {
  slot_unwritten = 32,  ///< never written in this block
  slot_in_flight = 33,  ///< destination of an asynchronous copy that was not waited for
  slot_spoilt = 34,     ///< a fault was reported here: nothing more is
  slot_suspected = 35,  ///< never written but read: `site` is the suspicion's number
  slot_atomic = 36,     ///< last updated by atomics: see Cells::atomics
};

/// The last write. `stamp` is time << 8 | flags | slot: one comparison of the time with the
/// reader's clock row, indexed by the slot, settles the common case.
struct WriteRecord {
  std::uint64_t stamp = 0;
  std::uint32_t lanes = 0;  ///< several: one instruction stored equal values
  std::uint32_t site = 0;

  static constexpr std::uint64_t asynchronous = 0x80;
  static constexpr Clocks::Time never = ~std::uint64_t{0} >> 8;
  Clocks::Time time() const { return stamp >> 8; }
  unsigned slot() const { return static_cast<unsigned>(stamp & 0x3F); }
  bool was_copied() const { return stamp & asynchronous; }
  static WriteRecord by(Clocks::Time time, unsigned warp, std::uint32_t lanes, std::uint32_t site) {
    return {time << 8 | warp, lanes, site};
  }
  static WriteRecord state(Slot slot, std::uint32_t site = 0, std::uint32_t lanes = 0) {
    return {never << 8 | slot, lanes, site};
  }
};

/// The latest read (or atomic) by one warp: `lanes` are all that read since the warp's lanes last
/// synchronised, `time` is the latest of those reads.
struct ReadRecord {
  Clocks::Time time = 0;
  std::uint32_t lanes = 0;
  std::uint32_t site = 0;
};

/// The copy whose destination a cell is, or last was.
struct CopyRecord {
  Clocks::Time time = 0;    ///< when it was issued
  std::uint32_t order = 0;  ///< how many copies the warp had issued at that site before
  std::uint32_t site = 0;
  std::uint32_t warp = 0;
  std::uint32_t lane = 0;
};

/// The atomics since the last plain write. They are not ordered among themselves, so each of them
/// must be ordered after that write.
struct AtomicRecord {
  WriteRecord before;
  std::vector<ReadRecord> by_warp;
  std::vector<ReadRecord> strong_reads;  ///< by warp: volatile and relaxed loads
};

class Cells {
 public:
  using Id = std::uint32_t;
  static constexpr unsigned granule_bytes = 16;

  /// Starts a block with `granules` granules of which `initial` is known. Reads and copies left
  /// over from an earlier block need no clearing: their times are before the new block's start.
  void start(std::uint32_t granules, unsigned warps, WriteRecord initial);
  /// Adds one granule; returns its number.
  std::uint32_t add_granule();
  std::uint32_t granules() const { return static_cast<std::uint32_t>(shape_.size()); }

  bool is_whole(std::uint32_t granule) const { return shape_[granule].shift == 4; }
  /// The one cell of a whole granule has the granule's first id.
  Id first_cell(std::uint32_t granule) const { return shape_[granule].first; }
  unsigned cell_bytes(std::uint32_t granule) const { return 1u << shape_[granule].shift; }
  /// Splits so that [offset, offset + bytes) is made of whole cells.
  void split_for(std::uint32_t granule, unsigned offset, unsigned bytes);
  /// One cell again, after an ordered write over all of it (the cells' records are equal).
  void join(std::uint32_t granule);

  WriteRecord& write(Id cell) { return writes_[cell]; }
  CopyRecord& copy(Id cell) { return copies_[cell]; }
  const ReadRecord& read(Id cell, unsigned warp) const { return reads_[warp][cell]; }
  void set_read(Id cell, unsigned warp, const ReadRecord& record) {
    reads_[warp][cell] = record;
    note_read(cell, record.time);
  }
  /// No read of the cell, by any warp, is later. Kept for eight cells together.
  Clocks::Time latest_read(Id cell) const { return latest_read_[line_of(cell)]; }
  static std::size_t line_of(Id cell) { return cell / 8; }
  unsigned warps() const { return warps_; }

  AtomicRecord& atomics(Id cell) { return atomics_[cell]; }
  /// The cell is updated by atomics from now on; `suspicion` as for `slot_suspected`.
  void begin_atomics(Id cell, std::uint32_t suspicion);
  void drop_atomics(Id cell) {
    if (!atomics_.empty()) atomics_.erase(cell);
  }

  /// Reads (or atomics) older than the record's, kept only between synchronisations of some lanes.
  std::vector<ReadRecord>& older(Id cell, unsigned warp, bool of_atomics) {
    return older_[key(cell, warp, of_atomics)];
  }
  const std::vector<ReadRecord>* find_older(Id cell, unsigned warp, bool of_atomics) const {
    if (older_.empty()) return nullptr;
    const auto found = older_.find(key(cell, warp, of_atomics));
    return found == older_.end() ? nullptr : &found->second;
  }

  struct Shape {
    Id first = 0;
    std::uint8_t shift = 4;  ///< log2 of the cell's bytes
  };
  /// Bare arrays for loops over whole granules; valid until a granule is split or added.
  struct Arrays {
    const Shape* shape;
    WriteRecord* writes;
    CopyRecord* copies;
    std::vector<ReadRecord>* reads;  ///< by warp, each by cell
    Clocks::Time* latest_read;       ///< by any warp, by `line_of` the cell; set with every read
    std::size_t warps;
    std::uint32_t granules;
    bool intact;  ///< no granule is split: each is the cell of its own number

    Id first_cell(std::uint32_t granule) const { return intact ? granule : shape[granule].first; }

    /// Whether [address, address + bytes) is exactly one whole granule.
    bool is_whole(std::uint32_t address, unsigned bytes) const {
      const std::uint32_t granule = address / granule_bytes;
      return bytes == granule_bytes && address % granule_bytes == 0 && granule < granules &&
             (intact || shape[granule].shift == 4);
    }
  };
  Arrays arrays() {
    return {shape_.data(),       writes_.data(), copies_.data(), reads_.data(),
            latest_read_.data(), warps_,         granules(),     cells_ == shape_.size()};
  }

 private:
  static std::uint64_t key(Id cell, unsigned warp, bool of_atomics) {
    return std::uint64_t{cell} << 6 | warp << 1 | (of_atomics ? 1u : 0u);
  }
  void note_read(Id cell, Clocks::Time time) {
    latest_read_[line_of(cell)] = std::max(latest_read_[line_of(cell)], time);
  }
  Id take_cells(unsigned shift);
  void give_back(Id first, unsigned shift);
  /// Gives `parts` cells from `to` on the history of those from `from` on, each to 1 << shift
  /// cells.
  void assign(Id to, Id from, unsigned parts = 1, unsigned shift = 0);
  void assign_rare(Id to, Id from);

  unsigned warps_ = 1;
  WriteRecord initial_;
  std::vector<Shape> shape_;
  std::vector<WriteRecord> writes_;
  std::vector<CopyRecord> copies_;
  /// By warp: what one warp reads lies side by side, so that reading a tile stays in the cache.
  std::vector<std::vector<ReadRecord>> reads_;
  std::vector<Clocks::Time> latest_read_;
  std::size_t cells_ = 0;
  std::vector<Id> free_[5];  ///< by shift
  std::vector<Id> whole_;    ///< by granule: its cell when it is whole
  std::unordered_map<Id, AtomicRecord> atomics_;
  std::unordered_map<std::uint64_t, std::vector<ReadRecord>> older_;
};

}  // namespace tilewright::emulator
