// One thread traces and hands the traces to workers, each of which lowers and compiles a kernel at
// a time. So no user code runs on a thread it does not know, and memory is bounded by the workers.
#include "tilewright/warmup.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "build.hpp"
#include "plan_errors.hpp"
#include "runtime/byte_size.hpp"
#include "runtime/cache.hpp"
#include "runtime/machine.hpp"
#include "runtime/nvrtc.hpp"

namespace tilewright {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int jobs_of(const WarmupOptions& options) {
  constexpr std::uint64_t one = runtime::Nvrtc::bytes_per_compile;
  if (options.jobs < 0)
    throw Error(errors::plan["warmup-jobs-invalid"], "a number of jobs below 0",
                {"jobs", std::to_string(options.jobs), "1 and more, or 0 for all processors", ""});
  if (options.memory != 0 && options.memory < one)
    throw Error(errors::plan["warmup-memory-too-small"], "one compile takes more memory than that",
                {"memory", std::to_string(options.memory),
                 "at least " + std::to_string(one) + " bytes", ""});
  const std::uint64_t free = runtime::available_memory() / 2;
  const std::uint64_t memory = options.memory != 0 ? options.memory : free;
  const auto wanted = static_cast<std::uint64_t>(
      options.jobs != 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency()));
  // Where the machine does not say what is free, memory is no reason to do less.
  if (memory == 0) return static_cast<int>(wanted);
  return static_cast<int>(std::clamp<std::uint64_t>(memory / one, 1, wanted));
}

void require_cache() {
  const runtime::Cache cache = runtime::Cache::from_environment();
  if (cache.enabled()) return;
  if (runtime::environment::cache_limit() == 0)
    throw Error(errors::plan["warmup-without-cache"],
                "the cache that is to be filled is switched off",
                {"TILEWRIGHT_CACHE", "off", "on, or a size such as 2G", ""});
  throw Error(errors::plan["warmup-without-cache"],
              "there is no folder for the cache that is to be filled",
              {"TILEWRIGHT_CACHE_DIR", "", "a folder", ""});
}

/// A traced kernel on its way to a worker.
struct Traced {
  std::size_t item = 0;
  ir::Kernel kernel;
};

class Pool {
 public:
  Pool(const std::vector<WarmupItem>& items, const WarmupOptions& options, int jobs)
      : items_(items), options_(options) {
    results_.resize(items.size());
    const auto count = std::min<std::size_t>(static_cast<std::size_t>(jobs), items.size());
    for (std::size_t i = 0; i < count; ++i) workers_.emplace_back([this] { work(); });
  }

  std::vector<WarmupResult> run() {
    for (std::size_t item = 0; item < items_.size() && !called_off(); ++item)
      guarded([&] { trace(item); });
    close();
    for (std::thread& worker : workers_) worker.join();
    if (failure_) std::rethrow_exception(failure_);
    return std::move(results_);
  }

 private:
  bool called_off() {
    std::lock_guard lock(mutex_);
    return failure_ != nullptr;
  }

  void trace(std::size_t item) {
    WarmupResult failed;
    try {
      hand_over({item, build(*items_[item].kernel, items_[item].request.extents)});
      return;
    } catch (const Error& error) {
      failed.error = error;
    }
    finish(item, std::move(failed));
  }

  /// Waits for a place in the queue.
  void hand_over(Traced traced) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return failure_ || queue_.size() < workers_.size(); });
    queue_.push_back(std::move(traced));
    changed_.notify_all();
  }

  std::optional<Traced> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return failure_ || closed_ || !queue_.empty(); });
    if (failure_ || queue_.empty()) return std::nullopt;
    Traced traced = std::move(queue_.front());
    queue_.pop_front();
    changed_.notify_all();
    return traced;
  }

  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  /// What `action` throws ends the whole work.
  template <typename Action>
  void guarded(const Action& action) {
    try {
      action();
    } catch (...) {
      std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      changed_.notify_all();
    }
  }

  void work() {
    while (auto traced = take())
      guarded([&] { finish(traced->item, compiled(items_[traced->item], traced->kernel)); });
  }

  void finish(std::size_t item, WarmupResult result) {
    std::lock_guard lock(progress_mutex_);
    results_[item] = std::move(result);
    if (options_.progress) options_.progress(item, results_[item]);
  }

  static WarmupResult compiled(const WarmupItem& item, const ir::Kernel& traced) {
    const auto start = Clock::now();
    WarmupResult result{.from_cache = true, .kept = true};
    try {
      const passes::Target target = passes::target_of(program_arch(item.target.architecture));
      for (const bool aligned : {true, false}) {
        const Lowered form = lower(traced, target, item.request.schedule, aligned);
        const auto image =
            runtime::compile_image(form.text.text, form.text.symbol, item.target.architecture,
                                   item.target.kind, compile_options(form.text));
        result.from_cache &= image.from_cache;
        result.kept &= image.kept;
        result.bytes += image.bytes.size();
      }
    } catch (const Error& error) {
      // Without NVRTC nothing can be compiled: that is no property of this item.
      if (error.kind() == ErrorKind::missing) throw;
      result.error = error;
    }
    result.seconds = seconds_since(start);
    return result;
  }

  const std::vector<WarmupItem>& items_;
  const WarmupOptions& options_;
  std::mutex mutex_, progress_mutex_;
  std::condition_variable changed_;
  std::deque<Traced> queue_;
  bool closed_ = false;
  std::exception_ptr failure_;
  std::vector<WarmupResult> results_;
  std::vector<std::thread> workers_;
};

}  // namespace

WarmupReport warmup(const std::vector<WarmupItem>& items, const WarmupOptions& options) {
  const auto start = Clock::now();
  WarmupReport report{.results = {}, .jobs = jobs_of(options)};
  require_cache();
  runtime::Nvrtc::allow_compiles_at_once(report.jobs);
  report.results = Pool(items, options, report.jobs).run();
  report.seconds = seconds_since(start);
  return report;
}

}  // namespace tilewright
