// Runs one block to its end: warps in turn, each until it blocks; fragments of a warp that diverged
// meet again at the immediate post-dominator; barriers count whole warps.
#pragma once

#include "emulator/ops/variant.hpp"
#include "emulator/warp.hpp"

namespace tilewright::emulator {

class Scheduler {
 public:
  explicit Scheduler(Block& block) : block_(block) {}
  /// Every warp has its initial fragment. True when all have exited or a fault ended the block;
  /// false when a warp keeps reading one place and may be waiting for another block: call again.
  bool run();

 private:
  bool run_warp(Warp& warp);
  bool waits_for_others();
  void run_fragment(Warp& warp, Fragment fragment);
  void handle(Warp& warp, Fragment fragment);

  void diverge(Warp& warp, const Fragment& fragment);
  void reconverge(Warp& warp, const Fragment& fragment);
  void settle(Warp& warp, int group);
  void leave(Warp& warp, Fragment fragment);
  void finish_warp(Warp& warp);
  void gather(Warp& warp, Fragment fragment);
  bool release_gathered(Warp& warp);

  void reach_barrier(Warp& warp, Fragment fragment);
  void arrive(Warp& warp, std::uint32_t pc);
  void complete_if_full(std::uint32_t id);
  bool barrier_call_valid(Warp& warp, const Fragment& fragment);

  void end_slice(Warp& warp);
  void report_stuck();
  bool waits_in_vain();
  std::string where(const Warp& warp) const;

  Block& block_;
  const Variant& variant_ = variant();
  std::uint64_t slices_ = 0;
  /// Rounds in which every warp waited, and what had happened before the first of them.
  std::uint64_t vain_rounds_ = 0, events_then_ = 0;
};

}  // namespace tilewright::emulator
