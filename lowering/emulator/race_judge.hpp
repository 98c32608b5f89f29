// The rules of happens-before, applied to cells: is this access ordered after what it conflicts
// with? Each byte gets at most one finding. A suspicion that may have a simpler cause waits: a read
// of bytes never written is an uninitialised read only if no unordered write turns up in the block;
// a read of bytes in flight may lack a wait or a barrier, which is judged by who waited for what.
// Clocks are in race_clocks.hpp, records in race_cells.hpp, the words in race_report.hpp.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "emulator/monitor.hpp"
#include "emulator/race_cells.hpp"
#include "emulator/race_clocks.hpp"

namespace tilewright::emulator {

/// `atomic` is every strong write, `strong_read` a strong read that writes nothing: strong accesses
/// (volatile, relaxed and stronger, atomic) do not race among themselves.
enum class Verb { read, write, atomic, copy, strong_read };

/// One side of a finding.
struct Party {
  Verb verb{};
  unsigned warp = 0;
  unsigned lane = 0;
  std::uint32_t site = 0;
};

struct Finding {
  enum class Cause { unordered, one_instruction, not_waited, waited_without_barrier, unwritten };
  FaultKind kind{};
  Cause cause{};
  std::uint64_t address = 0;
  unsigned bytes = 0;
  Party party;  ///< the access that was found out
  Party other;  ///< what it conflicts with; unused for `unwritten`
};

/// Receives findings; called rarely.
class FindingListener {
 public:
  virtual ~FindingListener() = default;
  virtual void found(const Finding& finding) = 0;
};

/// One warp-wide access. `address` lists are null or indexed by lane; `value` as in BlockMonitor.
struct WarpAccess {
  Verb verb{};
  unsigned warp = 0;
  std::uint32_t site = 0;
  unsigned bytes = 0;
  bool only_writes = false;  ///< of an atomic: a strong store, which reads nothing
  bool block_scope = false;  ///< of a strong access
  const std::uint8_t* value = nullptr;
  const std::uint32_t* shared_address = nullptr;
  const std::uint64_t* global_address = nullptr;
  Clocks::Time time = 0;

  std::uint64_t address_of(unsigned lane) const {
    return shared_address ? shared_address[lane] : global_address[lane];
  }
};

/// Part of a lane's access that lies in one granule.
struct Piece {
  std::uint32_t granule = 0;
  unsigned lane = 0;
  unsigned offset = 0;  ///< in the granule
  unsigned bytes = 0;
  std::uint64_t granule_address = 0;
};

class Judge {
 public:
  Judge(Clocks& clocks, Cells& cells, FindingListener& listener)
      : clocks_(clocks), cells_(cells), listener_(listener) {}

  void read(const WarpAccess& access, const Piece& piece);
  /// A write, atomic or copy: first every piece of the instruction is checked, then every piece is
  /// recorded, so that lanes of one instruction are judged by what came before it.
  void check(const WarpAccess& access, const Piece& piece);
  void record(const WarpAccess& access, const Piece& piece);

  /// `order`: how many copies this warp issued at this site before.
  void record_issue(const WarpAccess& access, const Piece& piece, std::uint32_t order);
  void complete(const WarpAccess& access, const Piece& piece);

  /// A read or atomic recorded after the fact (see race_global.hpp): `floor` and `partial` are what
  /// the clocks said of its warp at its time.
  void record_late(const WarpAccess& access, const Piece& piece, Clocks::Time floor,
                   Clocks::Time partial);

  /// How far warps got, to tell a missing wait from a missing barrier; by site and warp.
  struct Progress {
    std::uint32_t issued = 0, completed = 0;
    Clocks::Time last_access = 0;
  };
  Progress& progress(std::uint32_t site, unsigned warp) {
    const std::size_t index = std::size_t{site} * cells_.warps() + warp;
    if (index >= progress_.size()) progress_.resize((index + 1) * 2);
    return progress_[index];
  }

  /// What is still suspected at the end of the block stands.
  void finish();
  bool is_spoilt(std::uint32_t granule, unsigned offset) const;

 private:
  struct Suspicion {
    Finding finding;
    bool open = true;
    Clocks::Time time = 0;  ///< of the suspected access
    CopyRecord copy;        ///< for an access to bytes in flight
  };
  template <typename Body>
  void each_cell(const Piece& piece, Body&& body);
  bool check_cell(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                  std::uint64_t address);
  bool check_writer(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                    std::uint64_t address, const WriteRecord& last);
  bool check_readers(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                     std::uint64_t address);
  bool check_atomics(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                     std::uint64_t address);
  bool check_strong_reads(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                          std::uint64_t address);
  void record_strong_read(const WarpAccess& access, Cells::Id cell, unsigned lane);
  /// `record_of(warp)`: what that warp did to the cell.
  template <typename ByWarp>
  bool check_list(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                  std::uint64_t address, ByWarp record_of, bool of_atomics);
  void record_cell(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                   std::uint64_t address);
  void record_read(const WarpAccess& access, Cells::Id cell, unsigned lane, Clocks::Time floor,
                   Clocks::Time partial, bool as_atomic);
  void read_cell(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                 std::uint64_t address);
  void clash_with_copy(const WarpAccess& access, const Piece& piece, Cells::Id cell,
                       std::uint64_t address);
  bool same_values(const WarpAccess& access, unsigned lane, unsigned other, std::uint64_t address,
                   unsigned bytes) const;
  bool passed_before(const Suspicion& suspicion, Clocks::Time waited);
  void resolve(Cells::Id cell, const WarpAccess& access, const Piece& piece);
  void join_if_equal(const Piece& piece);
  void blame(FaultKind kind, Finding::Cause cause, const WarpAccess& access, unsigned lane,
             Cells::Id cell, std::uint64_t address, Party other);
  void spoil(Cells::Id cell, std::uint32_t suspicion = 0);
  std::uint32_t suspect(Suspicion suspicion);
  void confirm(std::uint32_t suspicion);
  void withdraw(std::uint64_t begin, std::uint64_t end);

  Clocks& clocks_;
  Cells& cells_;
  FindingListener& listener_;
  unsigned cell_bytes_ = Cells::granule_bytes;  ///< of the granule being visited
  std::vector<Suspicion> suspicions_;           ///< numbered from 1
  /// Suspicions of unwritten bytes by granule address: numbers in the list above.
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> unwritten_;
  std::vector<Progress> progress_;
};

}  // namespace tilewright::emulator
