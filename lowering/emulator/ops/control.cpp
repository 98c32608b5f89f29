// Control flow and synchronisation handlers (ops/scalar.hpp). They describe what happened in
// `Warp::event`; scheduler.cpp acts on it.
#include <cfenv>

#include "emulator/access.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator::control {
namespace {

const Instruction* stop(Warp* w, Event event, std::uint32_t pc) {
  w->event = event;
  w->pc = pc;
  return nullptr;
}

template <bool masked>
const Instruction* run_enter(const Instruction* i, Warp* w) {
  if (masked && i->index == w->meeting_pc) [[unlikely]]
    return stop(w, Event::reconverge, i->index);
  if (w->steps >= w->slice_end) [[unlikely]]
    return stop(w, Event::yield, i->index);
  w->steps += i->c;
  ++w->visits[i->e];
  return i + 1;
}

const Instruction* run_jump(const Instruction* i, Warp* w) { return w->code + i->e; }

const Instruction* run_branch(const Instruction* i, Warp* w) {
  const std::uint32_t taken = active_lanes(i, w);
  if (taken == 0) return i + 1;
  if (taken == w->mask) return w->code + i->e;
  w->event_lanes = taken;
  w->event_pc = i->e;
  w->event_meeting = static_cast<std::uint32_t>(i->immediate);
  return stop(w, Event::diverge, i->index + 1);
}

/// One target at a time: the lanes of the first lane's target leave, the others come back here.
const Instruction* run_indexed_jump(const Instruction* i, Warp* w) {
  const std::uint32_t* index = slots<std::uint32_t>(w, i->a);
  const std::uint32_t lanes = active_lanes(i, w);
  if (lanes == 0) return i + 1;
  const std::uint32_t wanted = index[__builtin_ctz(lanes)];
  std::uint32_t taken = 0;
  for (std::uint32_t left = lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    if (index[lane] == wanted) taken |= 1u << lane;
  }
  if (wanted >= i->n) {
    report_fault(
        *w, *i, FaultKind::out_of_bounds, static_cast<unsigned>(__builtin_ctz(lanes)),
        "brx.idx: index " + std::to_string(wanted) + " of " + std::to_string(i->n) + " targets");
    return stop(w, Event::abort, i->index);
  }
  if (taken == w->mask) return w->code + i->list[wanted];
  w->event_lanes = taken;
  w->event_pc = i->list[wanted];
  w->event_meeting = static_cast<std::uint32_t>(i->immediate);
  return stop(w, Event::diverge, i->index);
}

const Instruction* run_exit(const Instruction* i, Warp* w) {
  const std::uint32_t lanes = active_lanes(i, w);
  if (lanes == 0) return i + 1;
  w->event_lanes = lanes;
  return stop(w, Event::exit, i->index + 1);
}

const Instruction* run_trap(const Instruction* i, Warp* w) {
  const std::uint32_t lanes = active_lanes(i, w);
  if (lanes == 0) return i + 1;
  report_fault(
      *w, *i, FaultKind::trap, static_cast<unsigned>(__builtin_ctz(lanes)),
      (i->flags & 1) != 0 ? "brkpt executed" : "trap executed: a device-side check failed");
  return stop(w, Event::abort, i->index);
}

const Instruction* run_barrier(const Instruction* i, Warp* w) {
  const std::uint32_t lanes = active_lanes(i, w);
  if (lanes == 0) return i + 1;
  const unsigned lane = static_cast<unsigned>(__builtin_ctz(lanes));
  BarrierCall& call = w->barrier;
  call.id = slots<std::uint32_t>(w, i->a)[lane];
  call.threads = (i->n & 1) != 0 ? slots<std::uint32_t>(w, i->b)[lane] : 0;
  call.waits = (i->flags & 1) == 0;
  call.reduction = static_cast<std::uint8_t>(i->flags >> 4);
  call.destination = i->d;
  std::uint32_t votes = w->predicates[i->c];
  if ((i->flags & 2) != 0) votes = ~votes;
  call.true_lanes = votes & lanes;
  w->event_present = lanes;
  return stop(w, Event::barrier, i->index);
}

const Instruction* run_warp_barrier(const Instruction* i, Warp* w) {
  const std::uint32_t lanes = active_lanes(i, w);
  if (lanes == 0) return i + 1;
  const std::uint32_t* members = slots<std::uint32_t>(w, i->a);
  std::uint32_t needed = 0;
  for (std::uint32_t left = lanes; left != 0; left &= left - 1)
    needed |= members[__builtin_ctz(left)];
  if ((needed & w->live & ~lanes) != 0) {
    w->event_lanes = needed & w->live;
    w->event_present = lanes;
    return stop(w, Event::converge, i->index);
  }
  if (w->observed) observe_warp_sync(w, lanes);
  return i + 1;
}

const Instruction* run_fence(const Instruction* i, Warp* w) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (w->observed && w->block->monitor != nullptr) {
    w->block->monitor->fence(w->index, active_lanes(i, w), (i->flags & 1) != 0);
  }
  return i + 1;
}

/// Time is counted in executed instructions of the warp: reproducible, and never going backwards.
const Instruction* run_clock(const Instruction* i, Warp* w) {
  const std::uint64_t now = w->steps + i->index;
  for (std::uint32_t left = active_lanes(i, w); left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    if ((i->flags & 1) != 0) {
      slots<std::uint64_t>(w, i->d)[lane] = now;
    } else {
      slots<std::uint32_t>(w, i->d)[lane] =
          static_cast<std::uint32_t>(now >> ((i->flags & 2) != 0 ? 32 : 0));
    }
  }
  return i + 1;
}

const Instruction* run_nothing(const Instruction* i, Warp*) { return i + 1; }

const Instruction* run_give_way(const Instruction* i, Warp* w) {
  if (active_lanes(i, w) != 0) {
    w->slice_end = w->steps;
    w->polling = true;
  }
  return i + 1;
}

const Instruction* run_set_rounding(const Instruction* i, Warp*) {
  constexpr int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  std::fesetround(modes[i->n & 3]);
  return i + 1;
}

}  // namespace

Handlers enter() { return {&run_enter<false>, &run_enter<true>}; }
Handlers branch() { return {&run_branch, &run_branch}; }
Handlers jump() { return {&run_jump, &run_jump}; }
Handlers indexed_jump() { return {&run_indexed_jump, &run_indexed_jump}; }
Handlers exit() { return {&run_exit, &run_exit}; }
Handlers trap() { return {&run_trap, &run_trap}; }
Handlers barrier() { return {&run_barrier, &run_barrier}; }
Handlers warp_barrier() { return {&run_warp_barrier, &run_warp_barrier}; }
Handlers fence() { return {&run_fence, &run_fence}; }
Handlers clock() { return {&run_clock, &run_clock}; }
Handlers nothing() { return {&run_nothing, &run_nothing}; }
Handlers give_way() { return {&run_give_way, &run_give_way}; }
Handlers set_rounding() { return {&run_set_rounding, &run_set_rounding}; }

}  // namespace tilewright::emulator::control
