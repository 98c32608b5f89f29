// Block barriers and the report of what nobody can leave. A warp arrives when all its live lanes
// stand at the same barrier instruction: part of a warp never counts, because the rest could still
// store something the others must see.
#include <algorithm>
#include <cstdio>

#include "emulator/access.hpp"
#include "emulator/ops/scalar.hpp"
#include "emulator/scheduler.hpp"

namespace tilewright::emulator {

bool Scheduler::barrier_call_valid(Warp& warp, const Fragment& fragment) {
  const BarrierCall& call = fragment.call;
  std::string wrong;
  if (call.id >= 16) {
    wrong = "barrier " + std::to_string(call.id) + ": ids are 0 to 15";
  } else if (call.threads % 32 != 0) {
    wrong = "barrier " + std::to_string(call.id) + " for " + std::to_string(call.threads) +
            " threads: not a multiple of the warp size";
  } else if (call.threads > (block_.threads() + 31) / 32 * 32) {
    wrong = "barrier " + std::to_string(call.id) + " waits for " + std::to_string(call.threads) +
            " threads but the block has " + std::to_string(block_.threads());
  } else {
    const Barrier& barrier = block_.barriers[call.id];
    if (barrier.arrived != 0 && barrier.expected != call.threads) {
      wrong = "barrier " + std::to_string(call.id) + " is used with " +
              std::to_string(call.threads) + " and with " + std::to_string(barrier.expected) +
              " threads at once";
    }
  }
  if (wrong.empty()) return true;
  report_fault(warp, block_.state->program->full[fragment.pc], FaultKind::divergent_barrier,
               static_cast<unsigned>(__builtin_ctz(fragment.lanes)), wrong);
  block_.stopped = block_.stop_launch = true;
  return false;
}

void Scheduler::reach_barrier(Warp& warp, Fragment fragment) {
  fragment.call = warp.barrier;
  fragment.present = warp.event_present;
  fragment.state = Fragment::State::gathering;
  if (!barrier_call_valid(warp, fragment)) return;
  warp.fragments.push_back(fragment);
  arrive(warp, fragment.pc);
}

/// Counts the warp if all of it is at the barrier instruction `pc`.
void Scheduler::arrive(Warp& warp, std::uint32_t pc) {
  std::uint32_t here = 0, true_lanes = 0;
  const auto waiting = [&](const Fragment& f) {
    return f.state == Fragment::State::gathering && f.pc == pc;
  };
  const BarrierCall* call = nullptr;
  for (const Fragment& fragment : warp.fragments) {
    if (!waiting(fragment)) continue;
    here |= fragment.present;
    true_lanes |= fragment.call.true_lanes;
    call = &fragment.call;
  }
  if (here != warp.live || call == nullptr) return;
  Barrier& barrier = block_.barriers[call->id];
  const std::uint32_t id = call->id;
  barrier.expected = call->threads;
  barrier.arrived += 32;
  barrier.warps |= 1u << warp.index;
  barrier.true_threads += static_cast<std::uint32_t>(__builtin_popcount(true_lanes));
  barrier.voting_threads += static_cast<std::uint32_t>(__builtin_popcount(here));
  for (Fragment& fragment : warp.fragments) {
    if (!waiting(fragment)) continue;
    fragment.pc = pc + 1;
    fragment.state = fragment.call.waits ? Fragment::State::at_barrier : Fragment::State::ready;
    fragment.generation = barrier.generation;
  }
  complete_if_full(id);
}

void Scheduler::complete_if_full(std::uint32_t id) {
  Barrier& barrier = block_.barriers[id];
  const std::uint32_t wanted = barrier.expected != 0 ? barrier.expected : 32 * block_.live_warps;
  if (barrier.arrived == 0 || barrier.arrived < wanted) return;
  if (block_.monitor != nullptr) block_.monitor->barrier(barrier.warps);
  ++block_.barriers_passed;
  const std::uint32_t generation = barrier.generation, true_threads = barrier.true_threads;
  const bool all = true_threads == barrier.voting_threads;
  barrier = Barrier{};
  barrier.generation = generation + 1;
  for (Warp& warp : block_.warps) {
    for (Fragment& fragment : warp.fragments) {
      if (fragment.state != Fragment::State::at_barrier || fragment.call.id != id ||
          fragment.generation != generation) {
        continue;
      }
      fragment.state = Fragment::State::ready;
      const BarrierCall& call = fragment.call;
      if (call.reduction == 3) {
        for (std::uint32_t left = fragment.present; left != 0; left &= left - 1) {
          slots<std::uint32_t>(&warp, call.destination)[__builtin_ctz(left)] = true_threads;
        }
      } else if (call.reduction != 0) {
        const bool value = call.reduction == 1 ? all : true_threads != 0;
        std::uint32_t& predicate = warp.predicates[call.destination];
        predicate = (predicate & ~fragment.present) | (value ? fragment.present : 0);
      }
    }
  }
}

std::string Scheduler::where(const Warp& warp) const {
  const Program& program = *block_.state->program;
  if (warp.live == 0) return "warp " + std::to_string(warp.index) + " has exited";
  std::string text = "warp " + std::to_string(warp.index) + ":";
  for (const Fragment& fragment : warp.fragments) {
    char lanes[16];
    std::snprintf(lanes, sizeof lanes, "0x%08x", fragment.lanes);
    const bool passed = fragment.state == Fragment::State::at_barrier;
    const Site site = program.sites[fragment.pc - (passed ? 1 : 0)];
    text += std::string(" lanes ") + lanes + " at PTX line " + std::to_string(site.ptx_line);
    if (site.cuda_line != 0) text += " (CUDA line " + std::to_string(site.cuda_line) + ")";
    if (fragment.state == Fragment::State::converging) {
      std::snprintf(lanes, sizeof lanes, "0x%08x", fragment.needs & ~fragment.present);
      text += std::string(" want lanes ") + lanes + " for " + program.mnemonics[fragment.pc];
    } else {
      const Barrier& barrier = block_.barriers[fragment.call.id];
      const std::uint32_t wanted =
          barrier.expected != 0 ? barrier.expected : 32 * block_.live_warps;
      text += passed ? " wait at barrier " : " are part of a warp at barrier ";
      text += std::to_string(fragment.call.id) + " (" + std::to_string(barrier.arrived) + " of " +
              std::to_string(wanted) + " threads)";
    }
    text += ";";
  }
  for (const Group& group : warp.groups) {
    if (!group.used || group.arrived == 0) continue;
    char lanes[16];
    std::snprintf(lanes, sizeof lanes, "0x%08x", group.arrived);
    text += std::string(" lanes ") + lanes + " wait for them at PTX line " +
            std::to_string(program.sites[group.pc].ptx_line) + ";";
  }
  return text;
}

// Nothing can run. A warp that is only partly at a barrier, or at an exchange whose lanes are
// elsewhere, is what is wrong; without one, the warps wait for each other.
void Scheduler::report_stuck() {
  const Program& program = *block_.state->program;
  const Warp* culprit = nullptr;
  const Fragment* at = nullptr;
  FaultKind kind = FaultKind::deadlock;
  std::string text;
  unsigned told = 0;
  for (const Warp& warp : block_.warps) {
    for (const Fragment& fragment : warp.fragments) {
      const bool split = fragment.state == Fragment::State::gathering ||
                         fragment.state == Fragment::State::converging;
      if (culprit == nullptr || (split && kind == FaultKind::deadlock)) {
        culprit = &warp;
        at = &fragment;
        if (split) kind = FaultKind::divergent_barrier;
      }
    }
    if (told++ < 8) text += (text.empty() ? "" : " ") + where(warp);
  }
  if (culprit == nullptr) return;
  const bool passed = at->state == Fragment::State::at_barrier;
  const Instruction& instruction = program.full[at->pc - (passed ? 1 : 0)];
  report_fault(
      *culprit, instruction, kind, static_cast<unsigned>(__builtin_ctz(at->lanes)),
      (kind == FaultKind::deadlock ? "no warp of the block can go on. "
                                   : "lanes of one warp must come to '" +
                                         program.mnemonics[instruction.index] + "' together. ") +
          text);
}

/// Whether for a long time all that warps did was to test mbarriers, or wait at barriers, and
/// nobody arrived anywhere. Reports it and ends the block.
bool Scheduler::waits_in_vain() {
  constexpr std::uint64_t enough = 1 << 12;
  const std::uint64_t events = block_.mbarrier_events + block_.barriers_passed + block_.live_warps;
  bool all = true, some = false;
  for (Warp& warp : block_.warps) {
    if (warp.live == 0) continue;
    const bool ready = std::any_of(
        warp.fragments.begin(), warp.fragments.end(),
        [](const Fragment& fragment) { return fragment.state == Fragment::State::ready; });
    all &= warp.mbarrier.waits || !ready;
    some |= warp.mbarrier.waits;
    if (vain_rounds_ < enough) warp.mbarrier.waits = false;
  }
  vain_rounds_ = all && some && events == events_then_ ? vain_rounds_ + 1 : 0;
  events_then_ = events;
  if (vain_rounds_ <= enough) return false;
  std::string text;
  const Warp* first = nullptr;
  for (const Warp& warp : block_.warps) {
    if (warp.live == 0 || !warp.mbarrier.waits) continue;
    if (first == nullptr) first = &warp;
    char address[16];
    std::snprintf(address, sizeof address, "0x%x", warp.mbarrier.address);
    text += " warp " + std::to_string(warp.index) + " tests the mbarrier at shared " + address +
            " (" + std::to_string(warp.mbarrier.pending) + " arrivals pending);";
  }
  report_fault(*first, block_.state->program->full[first->mbarrier.pc], FaultKind::deadlock,
               first->mbarrier.lane, "no warp of the block can go on." + text);
  block_.stopped = block_.stop_launch = true;
  return true;
}

}  // namespace tilewright::emulator
