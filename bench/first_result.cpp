// What the first result of a process costs, part by part: `flash`, bf16, causal, head dimension 64,
// on the emulator (the launch and the emulated run are parts of their own, to be left out when the
// question is a GPU's).
//
// "from nothing" and "from the cache" are fresh processes, started by fork and exec: their time is
// the clock's from exec to exit, the counter cpu_ms their processor time. Everything else runs in
// this process. bench/results has the figures; tests/first_result keeps the bounds.
#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <tilewright/compile.hpp>
#include <tilewright/library.hpp>

#include "build.hpp"
#include "loops/flash_forward.hpp"
#include "runtime/cache.hpp"

using namespace tilewright;
using namespace tilewright::library;

namespace {

constexpr const char* child_word = "--first-result";
constexpr int rows = 16, dim = 64;

const auto flash = flash_forward<bf16>(causal_bottom_right);
const CompileRequest request{.extents = {{D, dim}, {E, dim}}};

/// An empty cache for one benchmark; removed after it.
class EmptyCache {
 public:
  EmptyCache() {
    std::string pattern = std::filesystem::temp_directory_path() / "tilewright-bench-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
    ::setenv("TILEWRIGHT_CACHE_DIR", path_.c_str(), 1);
  }
  ~EmptyCache() { std::filesystem::remove_all(path_); }
  EmptyCache(const EmptyCache&) = delete;
  EmptyCache& operator=(const EmptyCache&) = delete;

  /// No entry is left, and NVRTC is as unknown as in the beginning.
  void clear() const {
    for (const auto& item : std::filesystem::directory_iterator(path_))
      std::filesystem::remove_all(item.path());
  }

 private:
  std::filesystem::path path_;
};

const Device& device() {
  static const Device opened = Device::open("emulator:sm_80");
  return opened;
}

/// Buffers and arguments of the smallest sensible problem.
struct Problem {
  explicit Problem(const Device& on) : in(on, bytes), out(on, bytes), lse(on, 4 * rows) {
    const std::vector<std::uint16_t> numbers(rows * dim, to_bf16(0.5f));
    in.upload(numbers.data(), bytes);
    const auto tensor = [](const Buffer& buffer) {
      return TensorView::contiguous(buffer.address(), bf16, {1, 1, rows, dim});
    };
    arguments = {{"q", tensor(in)},
                 {"k", tensor(in)},
                 {"v", tensor(in)},
                 {"out", tensor(out)},
                 {"lse", TensorView::contiguous(lse.address(), f32, {1, 1, rows})},
                 {"softmax_scale", 0.125}};
  }
  void run(const Plan& plan) const {
    plan.launch(Stream::default_stream(plan.device()), arguments);
    plan.device().synchronize();
  }

  static constexpr std::size_t bytes = 2 * rows * dim;
  Buffer in, out, lse;
  std::vector<Binding> arguments;
};

void first_result() {
  const Plan plan = compile(Device::open("emulator:sm_80"), flash, request);
  Problem(plan.device()).run(plan);
}

/// A process of this program that does first_result() and nothing else.
void fresh_process(benchmark::State& state, double& processor_ms) {
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/proc/self/exe", "first_result", child_word, nullptr);
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  if (::wait4(child, &status, 0, &used) != child || status != 0)
    state.SkipWithError("the process failed");
  state.SetIterationTime(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  const auto ms = [](const timeval& time) {
    return 1e3 * static_cast<double>(time.tv_sec) + 1e-3 * static_cast<double>(time.tv_usec);
  };
  processor_ms += ms(used.ru_utime) + ms(used.ru_stime);
}

void process_from_nothing(benchmark::State& state) {
  const EmptyCache cache;
  double processor_ms = 0;
  for (auto _ : state) {
    cache.clear();
    fresh_process(state, processor_ms);
  }
  state.counters["cpu_ms"] = benchmark::Counter(processor_ms, benchmark::Counter::kAvgIterations);
}

void process_from_the_cache(benchmark::State& state) {
  const EmptyCache cache;
  double processor_ms = 0;
  fresh_process(state, processor_ms);
  processor_ms = 0;
  for (auto _ : state) fresh_process(state, processor_ms);
  state.counters["cpu_ms"] = benchmark::Counter(processor_ms, benchmark::Counter::kAvgIterations);
}

void trace(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(build(flash, request.extents));
}

void passes_and_text(benchmark::State& state) {
  const ir::Kernel traced = build(flash, request.extents);
  const passes::Target target = passes::target_of("sm_80");
  for (auto _ : state)
    benchmark::DoNotOptimize(lower(traced, target, {}, state.range(0) == 1).text.text);
}

runtime::CompiledImage image(const Program& program, bool aligned) {
  const emit::KernelText& text = (aligned ? program.aligned : program.general).text;
  return runtime::compile_image(text.text, text.symbol, "sm_80", runtime::ImageKind::ptx,
                                compile_options());
}

void nvrtc(benchmark::State& state) {
  const EmptyCache cache;
  const Program program = make_program(flash, "sm_80", request);
  for (auto _ : state) {
    runtime::Cache::from_environment().clear();
    benchmark::DoNotOptimize(image(program, state.range(0) == 1));
  }
}

void cache_read(benchmark::State& state) {
  const EmptyCache cache;
  const Program program = make_program(flash, "sm_80", request);
  image(program, true);
  for (auto _ : state) benchmark::DoNotOptimize(image(program, true));
}

void module_load(benchmark::State& state) {
  const EmptyCache cache;
  const auto ptx = image(make_program(flash, "sm_80", request), state.range(0) == 1);
  for (auto _ : state) benchmark::DoNotOptimize(runtime::Module::load(device(), ptx));
}

void compile_from_the_cache(benchmark::State& state) {
  const EmptyCache cache;
  compile(device(), flash, request);
  for (auto _ : state) benchmark::DoNotOptimize(compile(device(), flash, request));
}

/// The same for those who call: the builder, its checks and its kernel.
void builder_from_the_cache(benchmark::State& state) {
  const EmptyCache cache;
  const Attention attention = Attention{}.mask(tilewright::causal());
  attention.compile(device(), {.head_dim = dim});
  for (auto _ : state) benchmark::DoNotOptimize(attention.compile(device(), {.head_dim = dim}));
}

void launch_and_emulated_run(benchmark::State& state) {
  const EmptyCache cache;
  const Plan plan = compile(device(), flash, request);
  const Problem problem(device());
  for (auto _ : state) problem.run(plan);
}

constexpr auto unit = benchmark::kMillisecond;
BENCHMARK(process_from_nothing)->UseManualTime()->Unit(unit)->Iterations(5);
BENCHMARK(process_from_the_cache)->UseManualTime()->Unit(unit)->Iterations(40);
BENCHMARK(trace)->Unit(unit)->MeasureProcessCPUTime();
BENCHMARK(passes_and_text)->ArgName("aligned")->Arg(1)->Arg(0)->Unit(unit);
BENCHMARK(nvrtc)->ArgName("aligned")->Arg(1)->Arg(0)->Unit(unit)->Iterations(5);
BENCHMARK(cache_read)->Unit(unit);
BENCHMARK(module_load)->ArgName("aligned")->Arg(1)->Arg(0)->Unit(unit);
BENCHMARK(compile_from_the_cache)->Unit(unit)->MeasureProcessCPUTime();
BENCHMARK(builder_from_the_cache)->Unit(unit)->MeasureProcessCPUTime();
BENCHMARK(launch_and_emulated_run)->Unit(unit)->MeasureProcessCPUTime();

}  // namespace

int main(int count, char** words) {
  if (count == 2 && std::string(words[1]) == child_word) {
    first_result();
    return 0;
  }
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
