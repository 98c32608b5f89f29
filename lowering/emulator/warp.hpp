// The running state: a warp with its registers and fragments, a block with its barriers, and the
// worker (one host thread) that owns both. Handlers see `Warp`; scheduler.cpp moves it along.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "emulator/async_queue.hpp"
#include "emulator/instruction.hpp"
#include "emulator/memory.hpp"
#include "emulator/monitor.hpp"

namespace tilewright::emulator {

constexpr std::uint32_t all_lanes = 0xffffffffu;

struct Block;

/// Why a handler returned null.
enum class Event : std::uint8_t {
  none,
  diverge,     ///< `event_lanes` go to `event_pc`, the others to the next instruction
  reconverge,  ///< stands at the pc where its group meets
  exit,        ///< `event_lanes` are done
  barrier,     ///< `BarrierCall` says which
  converge,    ///< `event_present` are here, `event_lanes` must come to this instruction
  yield,       ///< its time slice is over
  abort,       ///< trap: the launch ends
};

struct BarrierCall {
  std::uint32_t id = 0, threads = 0;  ///< threads 0: all of the block
  bool waits = true;                  ///< false: bar.arrive
  std::uint8_t reduction = 0;         ///< 0 none, 1 and, 2 or, 3 popc
  std::uint32_t destination = 0;      ///< predicate, or register offset for popc
  std::uint32_t true_lanes = 0;
};

/// Some lanes of a warp that are at one place.
struct Fragment {
  enum class State : std::uint8_t { ready, gathering, at_barrier, converging };
  std::uint32_t pc = 0;
  std::uint32_t lanes = 0;
  int group = -1;  ///< where it meets its siblings again, -1 nowhere
  State state = State::ready;
  std::uint32_t needs = 0;       ///< converging: lanes that must come to this instruction
  std::uint32_t present = 0;     ///< converging: lanes of this fragment that are here for it
  std::uint32_t generation = 0;  ///< at_barrier: which use of the barrier
  BarrierCall call;
};

/// Lanes that diverged and meet at `pc`, the immediate post-dominator of their branch.
struct Group {
  std::uint32_t pc = 0, expected = 0, arrived = 0;
  int parent = -1;
  bool used = false;
};

/// Global memory the last access of one instruction fell into.
struct CachedRange {
  std::uint64_t begin = 1, end = 0;
};

/// How often one instruction has read the same value from the same place: a wait for another
/// thread.
struct Poll {
  std::uint32_t pc = ~0u, count = 0;
  std::uint64_t address = 0, value = 0;
};

/// The last mbarrier phase a warp tested in vain, since the scheduler asked.
struct MbarrierWait {
  bool waits = false;
  std::uint32_t pc = 0, lane = 0, address = 0, pending = 0;
};

struct Warp {
  char* registers = nullptr;
  std::uint32_t* predicates = nullptr;
  std::uint32_t mask = 0;             ///< lanes running now
  std::uint32_t meeting_pc = ~0u;     ///< pc at which the running fragment waits for its group
  const Instruction* code = nullptr;  ///< the stream the running fragment executes
  std::uint64_t steps = 0, slice_end = 0;
  std::uint64_t* visits = nullptr;  ///< per basic block, of the worker
  std::uint8_t* shared = nullptr;   ///< the block's window; offset 0 is not valid
  std::uint32_t shared_bytes = 0;
  std::uint32_t local_bytes = 0;
  std::uint8_t* local = nullptr;
  const std::uint8_t* parameters = nullptr;
  CachedRange* ranges = nullptr;
  void* matrix_a = nullptr;  ///< the converted A operand of the last mma, of the worker
  bool observed = false;     ///< detectors or counters want to know of accesses
  std::uint32_t live = 0;    ///< lanes that have not exited
  std::uint32_t index = 0;   ///< warp of the block

  Event event = Event::none;
  std::uint32_t event_lanes = 0, event_pc = 0, pc = 0, event_meeting = ~0u;
  std::uint32_t event_present = 0;  ///< converge: lanes of this fragment that execute it
  BarrierCall barrier;
  Poll polls[4];  ///< by instruction, the last few
  MbarrierWait mbarrier;
  bool polling = false;  ///< it waits for something that others must do

  /// A strong read or an atomic of the first active lane got `value`.
  void polled(std::uint32_t at, std::uint64_t address, std::uint64_t value) {
    Poll& poll = polls[at % 4];
    const bool same = poll.pc == at && poll.address == address && poll.value == value;
    poll = {at, same ? poll.count + 1 : 0, address, value};
    polling |= poll.count >= 32;
  }

  Block* block = nullptr;
  AsyncQueue async;
  std::vector<Fragment> fragments;
  std::vector<Group> groups;
};

struct Barrier {
  std::uint32_t arrived = 0;   ///< threads, whole warps of 32
  std::uint32_t expected = 0;  ///< named by the first arrival, 0: all live warps
  std::uint32_t warps = 0;     ///< a bit each
  std::uint32_t generation = 0;
  std::uint32_t true_threads = 0, voting_threads = 0;
};

/// What all blocks of a launch share.
struct LaunchState {
  const Program* program = nullptr;
  const struct Launch* launch = nullptr;
  const Options* options = nullptr;
  Memory* memory = nullptr;
  FaultSink* sink = nullptr;
  GlobalShadow* shadow = nullptr;
  LaunchOrder* order = nullptr;  ///< of kernels with fences or ordering accesses
  std::uint32_t parameter_bytes = 0;
  std::uint32_t shared_bytes = 0;  ///< the window's end
};

struct Block {
  const LaunchState* state = nullptr;
  Dim3 position;
  std::uint64_t linear = 0;
  std::vector<Warp> warps;
  std::uint32_t live_warps = 0;
  Barrier barriers[16];
  BlockMonitor* monitor = nullptr;   ///< null without detectors
  AccessCounter* counter = nullptr;  ///< null without counters
  std::uint64_t barriers_passed = 0;
  std::uint64_t mbarrier_events = 0;  ///< initialisations and arrivals
  bool stopped = false;               ///< a fault ended this block
  bool stop_launch = false;           ///< and every other one

  std::uint32_t threads() const;
};

}  // namespace tilewright::emulator
