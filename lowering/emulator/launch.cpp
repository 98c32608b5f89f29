// One launch: blocks handed out to host threads, each with a worker that owns registers, shared and
// local memory and reuses them from block to block.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <new>
#include <optional>
#include <thread>

#include "emulator/engine.hpp"
#include "emulator/errors.hpp"
#include "emulator/ops/variant.hpp"
#include "emulator/scheduler.hpp"
#include "emulator/special_values.hpp"
#include "tilewright/error.hpp"

namespace tilewright::emulator {
namespace {

/// Bytes aligned to a page, released with the worker.
class Arena {
 public:
  explicit Arena(std::size_t bytes)
      : bytes_((std::max<std::size_t>(bytes, 1) + 4095) / 4096 * 4096),
        data_(static_cast<std::uint8_t*>(::operator new (bytes_, std::align_val_t{4096}))) {}
  ~Arena() { ::operator delete (data_, std::align_val_t{4096}); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  std::uint8_t* data() const { return data_; }

 private:
  std::size_t bytes_;
  std::uint8_t* data_;
};

/// Room for the converted A operand of any variant: 4 registers, each as 16 + 8 vectors of 64
/// bytes.
constexpr std::size_t matrix_a_bytes = 4 * 24 * 64 + 64;

class Worker {
 public:
  Worker(const LaunchState& state)
      : state_(state),
        program_(*state.program),
        warps_((state.launch->block.count() + 31) / 32),
        registers_(warps_ * register_stride()),
        predicates_(warps_ * predicate_stride() * sizeof(std::uint32_t)),
        shared_(state.shared_bytes),
        local_(warps_ * 32 * program_.local_bytes),
        matrix_a_(matrix_a_bytes),
        ranges_(program_.caches),
        visits_(program_.costs.size(), 0) {
    block_.state = &state;
    block_.warps.resize(warps_);
    if (state.options->counters) block_.counter = &counter_;
    for (std::size_t k = 0; k < warps_; ++k) prepare(block_.warps[k], k);
  }

  ~Worker() {
    if (monitor_) monitor_->abandon();  // the launch ended before this block did
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Takes a block; `resume` then runs it.
  void begin(std::uint64_t linear) {
    const Dim3 grid = state_.launch->grid;
    block_.linear = linear;
    block_.position = {static_cast<std::uint32_t>(linear % grid.x),
                       static_cast<std::uint32_t>(linear / grid.x % grid.y),
                       static_cast<std::uint32_t>(linear / grid.x / grid.y)};
    monitor_.reset();
    if (state_.options->detectors) {
      BlockMonitor::Setup setup;
      setup.block = block_.position;
      setup.block_size = state_.launch->block;
      setup.linear_block = linear;
      setup.shared_bytes = state_.shared_bytes;
      setup.options = state_.options;
      setup.sink = state_.sink;
      setup.global = state_.shadow;
      setup.memory = state_.memory;
      setup.order = state_.order;
      monitor_ = std::make_unique<BlockMonitor>(setup);
      // All ones: NaN as any float, -1 as any integer.
      std::memset(shared_.data(), 0xff, state_.shared_bytes);
      std::memset(local_.data(), 0xff, warps_ * 32 * program_.local_bytes);
    }
    block_.monitor = monitor_.get();
    std::fill(std::begin(block_.barriers), std::end(block_.barriers), Barrier{});
    block_.live_warps = static_cast<std::uint32_t>(warps_);
    block_.stopped = false;
    for (Warp& warp : block_.warps) start(warp);
    scheduler_.emplace(block_);
  }

  /// False: the block has not ended and may be waiting for others.
  bool resume() {
    if (!scheduler_->run()) return false;
    if (block_.stopped && monitor_) monitor_->abandon();
    block_.monitor = nullptr;
    monitor_.reset();
    return true;
  }
  bool stops_launch() const { return block_.stop_launch; }

  Counters counters() const {
    Counters sums;
    if (!state_.options->counters) return sums;
    sums = const_cast<AccessCounter&>(counter_).sums();
    for (std::size_t b = 0; b < visits_.size(); ++b) {
      const BlockCost& cost = program_.costs[b];
      const std::uint64_t times = visits_[b];
      sums.warp_instructions += times * cost.instructions;
      sums.tensor += times * cost.tensor;
      sums.mufu += times * cost.mufu;
      sums.fma += times * cost.fma;
      sums.alu += times * cost.alu;
      sums.shared += times * cost.shared;
      sums.global += times * cost.global;
      sums.control += times * cost.control;
      sums.sync += times * cost.sync;
      sums.tensor_ops += times * cost.tensor_ops;
    }
    sums.barriers += block_.barriers_passed;
    return sums;
  }

 private:
  std::size_t register_stride() const {
    return (program_.register_bytes + 4095) / 4096 * 4096 + 64;
  }
  std::size_t predicate_stride() const { return (program_.predicates + 15) / 16 * 16; }

  void prepare(Warp& warp, std::size_t index) {
    warp.block = &block_;
    warp.index = static_cast<std::uint32_t>(index);
    warp.registers = reinterpret_cast<char*>(registers_.data() + index * register_stride());
    warp.predicates =
        reinterpret_cast<std::uint32_t*>(predicates_.data()) + index * predicate_stride();
    warp.visits = visits_.data();
    warp.shared = shared_.data();
    warp.shared_bytes = state_.shared_bytes;
    warp.local_bytes = program_.local_bytes;
    warp.local = local_.data() + index * 32 * program_.local_bytes;
    warp.parameters = reinterpret_cast<const std::uint8_t*>(state_.launch->parameters.data());
    warp.ranges = ranges_.data();
    warp.matrix_a = matrix_a_.data();
    warp.observed = state_.options->detectors || state_.options->counters;
    std::memset(warp.registers, 0xff, program_.register_bytes);
    for (const Program::Constant& constant : program_.constants) {
      for (unsigned lane = 0; lane < 32; ++lane)
        set(warp, constant.offset, constant.wide, lane, constant.bits);
    }
  }

  void start(Warp& warp) {
    const std::uint64_t threads = state_.launch->block.count();
    const std::uint64_t left = threads - warp.index * 32;
    warp.live = left >= 32 ? all_lanes : (1u << left) - 1;
    warp.steps = 0;
    warp.polling = false;
    std::fill(std::begin(warp.polls), std::end(warp.polls), Poll{});
    warp.async.reset();
    warp.groups.clear();
    warp.fragments.assign(1, Fragment{});
    warp.fragments[0].lanes = warp.live;
    std::memset(warp.predicates, 0, program_.predicates * sizeof(std::uint32_t));
    warp.predicates[true_predicate] = all_lanes;
    for (const std::uint32_t offset : program_.undefined_narrow)
      std::memset(warp.registers + offset, 0xff, 128);
    for (const std::uint32_t offset : program_.undefined_wide)
      std::memset(warp.registers + offset, 0xff, 256);
    for (const Program::SpecialSlot& slot : program_.specials) {
      for (unsigned lane = 0; lane < 32; ++lane) {
        set(warp, slot.offset, slot.wide, lane,
            special_value(slot.which, block_, warp.index, lane));
      }
    }
  }

  static void set(Warp& warp, std::uint32_t offset, bool wide, unsigned lane, std::uint64_t bits) {
    std::memcpy(warp.registers + offset + lane * (wide ? 8 : 4), &bits, wide ? 8 : 4);
  }

  const LaunchState& state_;
  const Program& program_;
  std::size_t warps_;
  Arena registers_, predicates_, shared_, local_, matrix_a_;
  std::vector<CachedRange> ranges_;
  std::vector<std::uint64_t> visits_;
  AccessCounter counter_;
  Block block_;
  std::unique_ptr<BlockMonitor> monitor_;
  std::optional<Scheduler> scheduler_;
};

/// No fewer blocks of this size than any device holds at once: what a kernel may count on to make
/// progress together.
std::uint64_t resident_blocks(const Launch& launch) {
  constexpr std::uint64_t multiprocessors = 256, threads = 2048, blocks = 32;
  const std::uint64_t warps = (launch.block.count() + 31) / 32;
  return multiprocessors * std::min(blocks, std::max<std::uint64_t>(1, threads / (32 * warps)));
}

/// One host thread's blocks: it runs one at a time, and sets those aside that may be waiting for a
/// block which has not begun.
class BlockQueue {
 public:
  BlockQueue(const LaunchState& state, std::uint64_t most_at_once)
      : state_(state), most_at_once_(most_at_once) {}

  /// `take`: the next block to begin, or nothing. `stop`: the launch is ending.
  template <class Take, class Stop>
  void run(Take take, Stop stop) {
    while (!stop()) {
      std::optional<std::uint64_t> block;
      if (waiting_.size() < most_at_once_) block = take();
      std::unique_ptr<Worker> worker;
      if (block) {
        worker = idle_worker();
        worker->begin(*block);
      } else if (!waiting_.empty()) {
        worker = std::move(waiting_.front());
        waiting_.pop_front();
      } else {
        return;
      }
      const bool ended = worker->resume();
      if (ended && worker->stops_launch()) stopped_ = true;
      if (ended) {
        idle_.push_back(std::move(worker));
      } else {
        waiting_.push_back(std::move(worker));
      }
      if (stopped_) return;
    }
  }
  bool stopped() const { return stopped_; }
  Counters counters() const {
    Counters sums;
    for (const auto& worker : idle_) sums.add(worker->counters());
    for (const auto& worker : waiting_) sums.add(worker->counters());
    return sums;
  }

 private:
  std::unique_ptr<Worker> idle_worker() {
    if (idle_.empty()) return std::make_unique<Worker>(state_);
    std::unique_ptr<Worker> worker = std::move(idle_.back());
    idle_.pop_back();
    return worker;
  }

  const LaunchState& state_;
  std::uint64_t most_at_once_;
  std::vector<std::unique_ptr<Worker>> idle_;
  std::deque<std::unique_ptr<Worker>> waiting_;
  bool stopped_ = false;
};

void check(const Kernel& kernel, const Launch& launch) {
  const auto refuse = [&](const std::string& what, std::uint64_t given,
                          const std::string& allowed) {
    throw Error(errors::emulator["emulator-launch-refused"],
                "kernel '" + kernel.name + "': " + what,
                {what, std::to_string(given), allowed, ""});
  };
  if (!kernel.program) refuse("kernel without code", 0, "a kernel of a loaded module");
  const std::uint64_t threads = launch.block.count(), blocks = launch.grid.count();
  const std::uint64_t limit = std::min<std::uint64_t>(kernel.max_threads, 1024);
  if (threads == 0 || threads > limit)
    refuse("block size", threads, "1 to " + std::to_string(limit));
  if (blocks == 0) refuse("grid size", 0, "at least 1");
  if (launch.parameters.size() != kernel.parameter_bytes) {
    refuse("parameter bytes", launch.parameters.size(), std::to_string(kernel.parameter_bytes));
  }
  constexpr std::uint64_t most_shared = 227 * 1024;
  const std::uint64_t shared =
      std::uint64_t{kernel.static_shared_bytes} + launch.dynamic_shared_bytes;
  if (shared > most_shared)
    refuse("shared memory bytes", shared, "at most " + std::to_string(most_shared));
}

}  // namespace

Report run(const Kernel& kernel, const Launch& launch, Memory& memory, const Options& options) {
  check(kernel, launch);
  FaultSink sink(kernel.name, options.max_faults);
  const std::shared_ptr<GlobalShadow> shadow = options.detectors ? make_global_shadow() : nullptr;
  LaunchState state;
  state.program = kernel.program.get();
  state.launch = &launch;
  state.options = &options;
  state.memory = &memory;
  state.sink = &sink;
  state.shadow = shadow.get();
  const bool uses_order = options.detectors && kernel.program->uses_order;
  const std::shared_ptr<LaunchOrder> order = uses_order ? make_launch_order() : nullptr;
  state.order = order.get();
  state.parameter_bytes = kernel.parameter_bytes;
  state.shared_bytes = kernel.program->dynamic_shared + launch.dynamic_shared_bytes;

  const std::uint64_t blocks = launch.grid.count();
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  Report report;
  std::exception_ptr failure;
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  const std::uint64_t wanted =
      options.threads > 0 ? static_cast<std::uint64_t>(options.threads) : cores;
  const std::uint64_t most_at_once =
      std::max<std::uint64_t>(1, resident_blocks(launch) / std::min(wanted, blocks));
  const auto work = [&] {
    try {
      BlockQueue queue(state, most_at_once);
      const auto take = [&]() -> std::optional<std::uint64_t> {
        const std::uint64_t linear = next++;
        return linear < blocks ? std::optional(linear) : std::nullopt;
      };
      queue.run(take, [&] { return stop || sink.full(); });
      if (queue.stopped() || sink.full()) stop = true;
      const std::lock_guard<std::mutex> lock(mutex);
      report.counters.add(queue.counters());
    } catch (...) {
      stop = true;
      const std::lock_guard<std::mutex> lock(mutex);
      failure = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (std::uint64_t k = 1; k < std::min(wanted, blocks); ++k) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  if (failure) std::rethrow_exception(failure);
  report.faults = sink.take_faults();
  report.notes = sink.take_notes();
  return report;
}

}  // namespace tilewright::emulator
