// mbarrier objects in shared memory, those of sm_80: init, inval, arrive, arrive_drop, test_wait.
// The eight bytes hold: bits 0-19 arrivals still pending in this phase, 20-39 arrivals expected in
// the next, 40-62 a mark that tells a barrier from anything else, 63 the phase. Lanes take turns.
// Source: PTX ISA, "Parallel Synchronization and Communication Instructions: mbarrier".
#include <cstring>

#include "emulator/access.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator::mbarrier {
namespace {

using Word = std::uint64_t;
constexpr Word count_mask = (1u << 20) - 1, mark = Word{0x2b1a5c} << 40,
               mark_mask = Word{0x7fffff} << 40, phase_bit = Word{1} << 63;

bool is_barrier(Word word) { return (word & mark_mask) == mark; }
std::uint32_t pending(Word word) { return static_cast<std::uint32_t>(word & count_mask); }
std::uint32_t expected(Word word) { return static_cast<std::uint32_t>(word >> 20 & count_mask); }
Word make(std::uint32_t pending, std::uint32_t expected, Word phase) {
  return pending | Word{expected} << 20 | mark | phase;
}

const Instruction* misuse(const Instruction* i, Warp* w, unsigned lane, const std::string& what) {
  report_fault(*w, *i, FaultKind::divergent_barrier, lane,
               w->block->state->program->mnemonics[i->index] + ": " + what);
  w->event = Event::abort;
  w->pc = i->index;
  return nullptr;
}

struct Place {
  alignas(64) std::uint32_t offset[32];
  std::uint32_t lanes;
};

/// Offsets in the window, checked; a generic address must lie in it.
Place locate(const Instruction* i, Warp* w, std::uint32_t lanes, Access access) {
  alignas(64) std::uint64_t address[32];
  strong::generic_addresses(i, w, address);
  Place place;
  std::uint32_t inside = 0;
  for (std::uint32_t left = lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const bool shared = address[lane] >> window_shift == shared_window >> window_shift;
    place.offset[lane] = shared ? static_cast<std::uint32_t>(address[lane]) : 0;
    inside |= 1u << lane;
  }
  place.lanes = check_shared(w, i, place.offset, inside, 8, access);
  return place;
}

Word read(const Warp* w, std::uint32_t offset) {
  Word word;
  std::memcpy(&word, w->shared + offset, sizeof word);
  return word;
}
void write(Warp* w, std::uint32_t offset, Word word) {
  std::memcpy(w->shared + offset, &word, sizeof word);
}

void observe(const Instruction* i, Warp* w, const Place& place, unsigned lane, Access access) {
  if (w->observed) observe_shared(w, i, place.offset, 1u << lane, 8, access, nullptr);
}

std::uint32_t count_of(const Instruction* i, Warp* w, unsigned lane) {
  return (i->n & counted) != 0 ? slots<std::uint32_t>(w, i->b)[lane] : 1;
}

const Instruction* run_init(const Instruction* i, Warp* w) {
  const Place place = locate(i, w, active_lanes(i, w), Access::write);
  for (std::uint32_t left = place.lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const std::uint32_t count = count_of(i, w, lane);
    if (count == 0 || count > count_mask)
      return misuse(i, w, lane,
                    "a count of " + std::to_string(count) + "; 1 to 1048575 are allowed");
    observe(i, w, place, lane, Access::write);
    // Without detectors shared memory still holds what the block before left there.
    if (w->block->monitor != nullptr && is_barrier(read(w, place.offset[lane])))
      return misuse(i, w, lane, "there is a valid mbarrier; it must be invalidated first");
    write(w, place.offset[lane], make(count, count, 0));
    ++w->block->mbarrier_events;
  }
  return i + 1;
}

const Instruction* not_one(const Instruction* i, Warp* w, unsigned lane) {
  return misuse(i, w, lane, "no mbarrier was initialized here");
}

const Instruction* run_inval(const Instruction* i, Warp* w) {
  const Place place = locate(i, w, active_lanes(i, w), Access::write);
  for (std::uint32_t left = place.lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    if (!is_barrier(read(w, place.offset[lane]))) return not_one(i, w, lane);
    observe(i, w, place, lane, Access::write);
    write(w, place.offset[lane], 0);
  }
  return i + 1;
}

const Instruction* run_arrive(const Instruction* i, Warp* w) {
  const Place place = locate(i, w, active_lanes(i, w), Access::atomic);
  for (std::uint32_t left = place.lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const std::uint32_t offset = place.offset[lane], count = count_of(i, w, lane);
    const Word old = read(w, offset);
    if (!is_barrier(old)) return not_one(i, w, lane);
    const std::uint32_t rest = pending(old);
    const bool completes = count == rest;
    if (count == 0 || count > rest || (completes && (i->n & never_completes) != 0)) {
      return misuse(i, w, lane,
                    "a count of " + std::to_string(count) + " where " + std::to_string(rest) +
                        " arrivals are pending");
    }
    observe(i, w, place, lane, Access::atomic);
    const std::uint32_t next = expected(old) - ((i->n & drops) != 0 ? count : 0);
    const Word phase = old & phase_bit;
    write(w, offset,
          completes ? make(next, next, phase ^ phase_bit) : make(rest - count, next, phase));
    if (completes && w->block->monitor != nullptr) w->block->monitor->phase_completed(offset);
    if ((i->n & returns_state) != 0) slots<Word>(w, i->d)[lane] = old;
    ++w->block->mbarrier_events;
  }
  return i + 1;
}

const Instruction* run_test(const Instruction* i, Warp* w) {
  const std::uint32_t lanes = active_lanes(i, w);
  const Place place = locate(i, w, lanes, Access::strong_read);
  std::uint32_t passed = 0;
  for (std::uint32_t left = place.lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const Word now = read(w, place.offset[lane]);
    if (!is_barrier(now)) return not_one(i, w, lane);
    Word tested = 0;
    if ((i->n & by_parity) != 0) {
      tested = Word{slots<std::uint32_t>(w, i->b)[lane] & 1u} << 63;
    } else {
      tested = slots<Word>(w, i->b)[lane];
      if (!is_barrier(tested)) return misuse(i, w, lane, "the state is none that an arrive gave");
      tested &= phase_bit;
    }
    observe(i, w, place, lane, Access::strong_read);
    if (tested != (now & phase_bit)) {
      passed |= 1u << lane;
      if (w->block->monitor != nullptr)
        w->block->monitor->phase_passed(w->index, place.offset[lane]);
    } else {
      // Others must go on for it to pass; the scheduler is told what it waits for.
      w->slice_end = w->steps;
      w->mbarrier = {true, i->index, lane, place.offset[lane], pending(now)};
    }
  }
  w->predicates[i->d] = (w->predicates[i->d] & ~lanes) | passed;
  return i + 1;
}

const Instruction* run_pending(const Instruction* i, Warp* w) {
  for (std::uint32_t left = active_lanes(i, w); left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    slots<std::uint32_t>(w, i->d)[lane] = pending(slots<Word>(w, i->b)[lane]);
  }
  return i + 1;
}

}  // namespace

Handlers init() { return {&run_init, &run_init}; }
Handlers invalidate() { return {&run_inval, &run_inval}; }
Handlers arrive() { return {&run_arrive, &run_arrive}; }
Handlers test() { return {&run_test, &run_test}; }
Handlers pending_count() { return {&run_pending, &run_pending}; }

}  // namespace tilewright::emulator::mbarrier
