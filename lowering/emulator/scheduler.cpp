// Fragments and their meetings (see scheduler.hpp; barriers are in scheduler_barrier.cpp). The
// youngest ready fragment of a warp runs first, so a divergent region is finished before its
// siblings pile up; a fragment that spins is moved behind the others when its slice ends.
#include "emulator/scheduler.hpp"

#include <algorithm>

#include "emulator/access.hpp"

namespace tilewright::emulator {
namespace {

constexpr std::uint64_t slice_steps = 1 << 16;

/// Where warps may wait for another block, in turns this short.
constexpr std::uint64_t waiting_slice_steps = 1 << 12;

std::uint64_t slice_for(const LaunchState& state) {
  const std::uint64_t most = state.program->waits_for_blocks ? waiting_slice_steps : slice_steps;
  const std::uint64_t limit = state.options->step_limit;
  return limit == 0 ? most : std::clamp<std::uint64_t>(limit / 8, 16, most);
}

}  // namespace

bool Scheduler::run() {
  const bool gives_way = block_.state->program->waits_for_blocks;
  while (block_.live_warps > 0 && !block_.stopped) {
    bool progress = false;
    const std::uint64_t slices = slices_;
    for (Warp& warp : block_.warps) {
      if (warp.live != 0) progress |= run_warp(warp);
      if (block_.stopped) return true;
    }
    if (gives_way && slices_ != slices && waits_for_others()) return false;
    if (waits_in_vain()) return true;
    if (!progress) {
      report_stuck();
      block_.stopped = block_.stop_launch = true;
    }
  }
  return true;
}

/// Whether a warp has been reading one place in vain, since this was asked last.
bool Scheduler::waits_for_others() {
  bool waits = false;
  for (Warp& warp : block_.warps) {
    waits |= warp.live != 0 && warp.polling;
    warp.polling = false;
  }
  return waits;
}

/// True when some fragment ran.
bool Scheduler::run_warp(Warp& warp) {
  bool ran = false;
  while (warp.live != 0 && !block_.stopped) {
    const auto ready =
        std::find_if(warp.fragments.rbegin(), warp.fragments.rend(),
                     [](const Fragment& f) { return f.state == Fragment::State::ready; });
    if (ready == warp.fragments.rend()) {
      if (!release_gathered(warp)) return ran;
      ran = true;
      continue;
    }
    const Fragment fragment = *ready;
    warp.fragments.erase(std::next(ready).base());
    ran = true;
    run_fragment(warp, fragment);
    if (warp.event == Event::yield) return ran;
  }
  return ran;
}

void Scheduler::run_fragment(Warp& warp, Fragment fragment) {
  const Program& program = *block_.state->program;
  warp.mask = fragment.lanes;
  warp.meeting_pc =
      fragment.group >= 0 ? warp.groups[static_cast<std::size_t>(fragment.group)].pc : ~0u;
  warp.code = warp.mask == all_lanes ? program.full.data() : program.masked.data();
  warp.slice_end = warp.steps + slice_for(*block_.state);
  warp.event = Event::none;
  for (const Instruction* at = warp.code + fragment.pc; at != nullptr;) at = at->run(at, &warp);
  variant_.leave();
  handle(warp, fragment);
}

void Scheduler::handle(Warp& warp, Fragment fragment) {
  fragment.pc = warp.pc;
  switch (warp.event) {
    case Event::diverge: diverge(warp, fragment); break;
    case Event::reconverge: reconverge(warp, fragment); break;
    case Event::exit: leave(warp, fragment); break;
    case Event::barrier: reach_barrier(warp, fragment); break;
    case Event::converge: gather(warp, fragment); break;
    case Event::yield:
      warp.fragments.insert(warp.fragments.begin(), fragment);
      end_slice(warp);
      break;
    case Event::abort: block_.stopped = block_.stop_launch = true; break;
    case Event::none: break;
  }
}

void Scheduler::diverge(Warp& warp, const Fragment& fragment) {
  int group = fragment.group;
  const std::uint32_t meeting = warp.event_meeting;
  const bool known = group >= 0 && warp.groups[static_cast<std::size_t>(group)].pc == meeting;
  if (meeting != ~0u && !known) {
    auto free = std::find_if(warp.groups.begin(), warp.groups.end(),
                             [](const Group& g) { return !g.used; });
    if (free == warp.groups.end()) free = warp.groups.insert(warp.groups.end(), Group{});
    *free = {meeting, fragment.lanes, 0, group, true};
    group = static_cast<int>(free - warp.groups.begin());
  }
  Fragment part;
  part.group = group;
  part.pc = warp.event_pc;
  part.lanes = warp.event_lanes;
  warp.fragments.push_back(part);
  part.pc = fragment.pc;
  part.lanes = fragment.lanes & ~warp.event_lanes;
  warp.fragments.push_back(part);
}

void Scheduler::reconverge(Warp& warp, const Fragment& fragment) {
  warp.groups[static_cast<std::size_t>(fragment.group)].arrived |= fragment.lanes;
  settle(warp, fragment.group);
}

/// Lets a group go on when all its lanes that still live have arrived.
void Scheduler::settle(Warp& warp, int index) {
  while (index >= 0) {
    Group& group = warp.groups[static_cast<std::size_t>(index)];
    if (!group.used) return;
    group.expected &= warp.live;
    group.arrived &= warp.live;
    if (group.arrived != group.expected) return;
    group.used = false;
    const int parent = group.parent;
    if (group.expected != 0) {
      if (parent >= 0 && warp.groups[static_cast<std::size_t>(parent)].pc == group.pc) {
        warp.groups[static_cast<std::size_t>(parent)].arrived |= group.arrived;
      } else {
        Fragment merged;
        merged.pc = group.pc;
        merged.lanes = group.expected;
        merged.group = parent;
        warp.fragments.push_back(merged);
        return;
      }
    }
    index = parent;
  }
}

void Scheduler::leave(Warp& warp, Fragment fragment) {
  const std::uint32_t leaving = warp.event_lanes;
  fragment.lanes &= ~leaving;
  if (fragment.lanes != 0) warp.fragments.push_back(fragment);
  warp.live &= ~leaving;
  if (warp.live == 0) {
    finish_warp(warp);
    return;
  }
  // Groups waiting only for the lanes that left are complete now; inner ones first.
  for (std::size_t k = warp.groups.size(); k-- > 0;) {
    if (warp.groups[k].used) settle(warp, static_cast<int>(k));
  }
  // A barrier may have waited for the rest of this warp.
  for (std::size_t k = 0; k < warp.fragments.size(); ++k) {
    if (warp.fragments[k].state == Fragment::State::gathering) {
      arrive(warp, warp.fragments[k].pc);
      break;
    }
  }
}

void Scheduler::finish_warp(Warp& warp) {
  warp.fragments.clear();
  if (!warp.async.empty()) {
    warp.async.wait_all(warp, all_lanes);
    block_.state->sink->note("a warp exited with cp.async copies it never waited for");
  }
  --block_.live_warps;
  for (std::uint32_t id = 0; id < 16; ++id) complete_if_full(id);
}

void Scheduler::gather(Warp& warp, Fragment fragment) {
  fragment.state = Fragment::State::converging;
  fragment.needs = warp.event_lanes;
  fragment.present = warp.event_present;
  warp.fragments.push_back(fragment);
}

/// Runs one collective instruction whose lanes have all come, and lets its fragments go on.
bool Scheduler::release_gathered(Warp& warp) {
  const Program& program = *block_.state->program;
  for (const Fragment& candidate : warp.fragments) {
    if (candidate.state != Fragment::State::converging) continue;
    const std::uint32_t pc = candidate.pc;
    std::uint32_t present = 0, needs = 0;
    for (const Fragment& other : warp.fragments) {
      if (other.state != Fragment::State::converging || other.pc != pc) continue;
      present |= other.present;
      needs |= other.needs;
    }
    if ((needs & warp.live & ~present) != 0) continue;
    warp.mask = present;
    warp.event = Event::none;
    const Instruction* at = program.masked.data() + pc;
    const bool done = at->run(at, &warp) != nullptr;
    variant_.leave();
    if (!done) continue;  // lanes that name themselves out never complete
    for (Fragment& other : warp.fragments) {
      if (other.state != Fragment::State::converging || other.pc != pc) continue;
      other.state = Fragment::State::ready;
      other.pc = pc + 1;
    }
    return true;
  }
  return false;
}

void Scheduler::end_slice(Warp& warp) {
  const LaunchState& state = *block_.state;
  ++slices_;
  if (state.sink->full()) block_.stopped = block_.stop_launch = true;
  if (state.options->step_limit == 0) return;
  std::uint64_t steps = 0;
  for (const Warp& each : block_.warps) steps += each.steps;
  if (steps < state.options->step_limit) return;
  const Instruction& at = state.program->full[warp.pc];
  report_fault(warp, at, FaultKind::step_limit, static_cast<unsigned>(__builtin_ctz(warp.mask)),
               "the block executed " + std::to_string(steps) + " warp instructions (limit " +
                   std::to_string(state.options->step_limit) + ") without coming to an end");
  block_.stopped = block_.stop_launch = true;
}

}  // namespace tilewright::emulator
