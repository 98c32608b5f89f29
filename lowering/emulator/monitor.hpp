// What the engine tells the detectors and counters, and nothing else: the seam inside the emulator.
//
// The engine (PTX in, warps stepping) owns execution, memory bounds and alignment. A BlockMonitor
// sees every memory access and every synchronisation of one thread block, in the order the engine
// executed them, and judges by happens-before, so its verdict never depends on that order.
// All calls are warp-wide: `lanes` has a bit per active lane and arrays are indexed by lane.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tilewright::emulator {

class Memory;

struct Dim3 {
  std::uint32_t x = 1, y = 1, z = 1;
  std::uint64_t count() const { return std::uint64_t{x} * y * z; }
};

enum class FaultKind {
  data_race,
  missing_wait,
  out_of_bounds,
  uninitialized_read,
  misaligned,
  divergent_barrier,
  deadlock,
  trap,        ///< `trap`
  assertion,   ///< a failed device assert
  step_limit,  ///< the step budget ran out: a livelock
};
const char* name(FaultKind kind);  ///< "data_race", "missing_wait", ... as in the JSON

struct Fault {
  FaultKind kind{};
  std::string kernel;
  Dim3 block{0, 0, 0};
  Dim3 thread{0, 0, 0};
  int ptx_line = 0;
  int cuda_line =
      0;  ///< the innermost line of the kernel's own text, not of a function before it; 0 unknown
  std::string message;
};

struct Options {
  bool detectors = true;
  bool counters = true;
  bool lazy_async = true;              ///< asynchronous copies take effect as late as is legal
  bool uninitialized_is_fault = true;  ///< false: only noted in `Report::notes`
  int threads = 0;                     ///< host threads over blocks; 0: all cores
  std::uint64_t step_limit = 0;        ///< warp instructions a block may execute; 0: none
  unsigned max_faults = 16;            ///< a launch stops after this many distinct faults
};

/// Sums over one launch. "requested" bytes are those of active lanes.
struct Counters {
  std::uint64_t warp_instructions = 0;
  std::uint64_t global_load_bytes = 0, global_store_bytes = 0;
  std::uint64_t global_load_sectors = 0,
                global_store_sectors = 0;  ///< distinct 32-byte sectors per warp access
  std::uint64_t shared_accesses = 0;       ///< phases without any conflict
  std::uint64_t shared_wavefronts =
      0;                         ///< phases as executed; minus shared_accesses = bank conflicts
  std::uint64_t tensor_ops = 0;  ///< floating-point operations of tensor cores, 2*m*n*k each
  std::uint64_t barriers = 0;    ///< block barriers passed (one per block and barrier)
  std::uint64_t tensor = 0, mufu = 0, fma = 0, alu = 0, shared = 0, global = 0, control = 0,
                sync = 0;  ///< warp instructions by pipe
  void add(const Counters& other);
};

/// What a launch left behind.
struct Report {
  std::vector<Fault> faults;
  std::vector<std::string> notes;
  Counters counters;
};

/// Collects the faults of one launch from all host threads; equal (kind, ptx_line) pairs are kept
/// once.
class FaultSink {
 public:
  FaultSink(std::string kernel, unsigned max_faults)
      : kernel_(std::move(kernel)), max_(max_faults) {}
  void report(Fault fault);  ///< fills in the kernel's name
  void note(std::string text);
  bool full() const;  ///< the launch should stop
  std::vector<Fault> take_faults();
  std::vector<std::string> take_notes();

  /// A fault that stands unless a race on a byte of [begin, end) is found before the launch ends;
  /// taking the faults settles it. With `as_note` it becomes that note instead of a fault.
  void hold(Fault fault, std::uint64_t begin, std::uint64_t end, std::string as_note);
  void withdraw(std::uint64_t begin, std::uint64_t end);

 private:
  struct Held {
    Fault fault;
    std::uint64_t begin, end;
    std::string as_note;
  };
  void keep(Fault fault);
  void settle();

  mutable std::mutex mutex_;
  std::string kernel_;
  unsigned max_;
  std::vector<Fault> faults_;
  std::vector<std::string> notes_;
  std::vector<Held> held_;
};

/// What a strong access (volatile, relaxed, acquire, release, atomic) is and orders.
struct Strong {
  enum class Kind { read, write, update };
  Kind kind = Kind::update;
  bool acquire = false, release = false;
  bool block_scope = false;  ///< `.cta`: for its own block only
};

/// What fences and flags order in one launch; needed only for kernels that have any.
class LaunchOrder;
std::shared_ptr<LaunchOrder> make_launch_order();

/// Race state of global memory, shared by the blocks of one launch (sparse: memory use follows
/// touched bytes), and initialisation state of global memory, which outlives launches (see
/// memory.hpp).
class GlobalShadow;
std::shared_ptr<GlobalShadow> make_global_shadow();

/// Where a warp instruction stands, for reports.
struct Site {
  std::uint32_t ptx_line = 0;
  std::uint32_t cuda_line = 0;
};

/// The detectors of one thread block. Not thread-safe: one block runs on one host thread.
/// `warp` counts warps of the block; a warp's clock advances at its synchronisations.
/// An access reported here has already passed the engine's bounds and alignment checks.
class BlockMonitor {
 public:
  struct Setup {
    Dim3 block;       ///< blockIdx
    Dim3 block_size;  ///< blockDim, to turn (warp, lane) into threadIdx
    std::uint64_t linear_block = 0;
    std::uint32_t shared_bytes = 0;  ///< whole shared window, dynamic and static
    const Options* options = nullptr;
    FaultSink* sink = nullptr;
    GlobalShadow* global = nullptr;  ///< null: global races are not judged
    Memory* memory = nullptr;        ///< initialisation state of global memory
    LaunchOrder* order = nullptr;    ///< null: fences and flags order nothing
  };
  explicit BlockMonitor(const Setup& setup);
  ~BlockMonitor();
  BlockMonitor(const BlockMonitor&) = delete;
  BlockMonitor& operator=(const BlockMonitor&) = delete;

  /// The block was ended by a fault: what is only suspected stays unsaid.
  void abandon();

  // Shared memory. `address[lane]` is the byte offset in the block's window; `bytes` (1, 2, 4, 8,
  // 16) is what one lane touches, whole vectors included. ldmatrix reads: call with the row
  // addresses of its 8*count providing lanes, 16 bytes each.
  void shared_read(Site, unsigned warp, const std::uint32_t* address, std::uint32_t lanes,
                   unsigned bytes);
  /// `value`: what each lane stores (bytes of lane l at value + l*bytes), to tell a harmless equal
  /// store of two lanes from a race; null: judged by address alone.
  void shared_write(Site, unsigned warp, const std::uint32_t* address, std::uint32_t lanes,
                    unsigned bytes, const void* value = nullptr);
  void shared_atomic(Site, unsigned warp, const std::uint32_t* address, std::uint32_t lanes,
                     unsigned bytes);

  // Asynchronous copies into shared memory. From issue until complete the destination is in flight:
  // reading or writing it is a missing_wait; at completion it counts as a write by that warp,
  // visible to others after the next barrier. Copies of different lanes of a warp complete together
  // here.
  void async_issue(Site, unsigned warp, const std::uint32_t* address, std::uint32_t lanes,
                   unsigned bytes);
  void async_complete(Site issued_at, unsigned warp, const std::uint32_t* address,
                      std::uint32_t lanes, unsigned bytes);

  // Global memory; addresses are device addresses.
  void global_read(Site, unsigned warp, const std::uint64_t* address, std::uint32_t lanes,
                   unsigned bytes);
  void global_write(Site, unsigned warp, const std::uint64_t* address, std::uint32_t lanes,
                    unsigned bytes, const void* value = nullptr);
  void global_atomic(Site, unsigned warp, const std::uint64_t* address, std::uint32_t lanes,
                     unsigned bytes);

  // Strong accesses: reported before they happen, and again (`observed`) once their value was read,
  // so that what another host thread publishes in between is not missed.
  void shared_strong(Site, unsigned warp, const std::uint32_t* address, std::uint32_t lanes,
                     unsigned bytes, const Strong&);
  void global_strong(Site, unsigned warp, const std::uint64_t* address, std::uint32_t lanes,
                     unsigned bytes, const Strong&);
  void shared_observed(unsigned warp, const std::uint32_t* address, std::uint32_t lanes,
                       const Strong&);
  void global_observed(unsigned warp, const std::uint64_t* address, std::uint32_t lanes,
                       const Strong&);

  // Synchronisation.
  void barrier(
      std::uint32_t warps);  ///< these warps (a bit each, at most 32) passed a barrier together
  void warp_sync(unsigned warp,
                 std::uint32_t lanes);  ///< bar.warp.sync, shfl/vote/match/redux.sync, mma/ldmatrix
                                        ///< .sync: orders those lanes
  /// An mbarrier in shared memory completed a phase: what its arrivals released belongs to that
  /// phase.
  void phase_completed(std::uint32_t address);
  /// A warp saw that phase complete: it acquires what was released in it.
  void phase_passed(unsigned warp, std::uint32_t address);
  void fence(unsigned warp, std::uint32_t lanes, bool device_scope);  ///< membar / fence

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The counters of one block, called only when Options::counters; sums go to Counters.
class AccessCounter {
 public:
  void global(bool store, const std::uint64_t* address, std::uint32_t lanes, unsigned bytes);
  void shared(const std::uint32_t* address, std::uint32_t lanes,
              unsigned bytes);  ///< ld/st, vectors whole
  void matrix_rows(const std::uint32_t* row_address,
                   unsigned matrices);  ///< ldmatrix/stmatrix: 8 rows of 16 bytes a phase
  /// The same, where each matrix is known to touch every bank once.
  void matrices_without_conflict(unsigned matrices) {
    sums_.shared_accesses += matrices;
    sums_.shared_wavefronts += matrices;
  }
  Counters& sums() { return sums_; }

 private:
  Counters sums_;
};

}  // namespace tilewright::emulator
