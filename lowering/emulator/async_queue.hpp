// cp.async of one warp: copies issued and not yet completed, and the commits between them.
// Groups are per thread; the queue keeps commits as lane masks, so a lane's copy is complete at
// `wait_group n` once that lane has committed more than n times since issuing it.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/monitor.hpp"

namespace tilewright::emulator {

struct Instruction;
struct Warp;

struct AsyncCopy {
  AsyncCopy() {}  // not defaulted: the arrays need no zeros
  std::uint32_t lanes = 0;
  std::uint32_t bytes = 0;  ///< 4, 8 or 16
  std::uint64_t epoch = 0;  ///< commits of the warp before it
  Site site;
  bool partial = false;  ///< `source_bytes` differs from `bytes` in some lane
  std::uint32_t destination[32];
  std::uint64_t source[32];
  std::uint8_t source_bytes[32];
};

class AsyncQueue {
 public:
  void reset();
  bool empty() const { return pending_.empty(); }
  /// A new entry to fill in; belongs to the group that is open now.
  AsyncCopy& issue();
  void commit(std::uint32_t lanes);
  /// Completes what `lanes` must see after waiting until at most `groups` commits are pending.
  void wait(Warp& warp, std::uint32_t lanes, std::uint32_t groups);
  /// Completes everything of these lanes, committed or not.
  void wait_all(Warp& warp, std::uint32_t lanes);

 private:
  void complete(Warp& warp, AsyncCopy& copy, std::uint32_t lanes);
  void drop_finished();

  std::vector<AsyncCopy> pending_;
  std::vector<std::uint32_t> commits_;  ///< lane masks, oldest first
  std::uint64_t first_epoch_ = 0;       ///< epoch of commits_[0]
};

/// Moves the bytes of one copy for these lanes; the rest of a partial copy becomes zero.
void move_bytes(Warp& warp, const AsyncCopy& copy, std::uint32_t lanes);

}  // namespace tilewright::emulator
