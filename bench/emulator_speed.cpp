// How fast the emulator is, over whole generated kernels: attention forward, 4 heads of 1024 rows,
// head dimension 64 and 128, every key and causal. Each with the detectors and counters off, with
// counters only, and with both.
//
// On one host thread: warp instructions per second and core, by processor time, of the fastest
// launch, because other programs slow a launch but never speed it up. On all cores: wall time.
// The instruction set is the processor's best; TILEWRIGHT_EMULATOR_ISA=portable forces the other
// path. The label of each line says which ran.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <tilewright/compile.hpp>

#include "loops/flash_forward.hpp"

namespace {

using namespace tilewright;
using namespace tilewright::library;

constexpr std::int64_t heads = 4, rows = 1024;

struct Problem {
  Device device = Device::open("emulator:sm_80");
  std::int64_t dim;
  Plan plan;
  Buffer q{device, bytes()}, k{device, bytes()}, v{device, bytes()}, out{device, bytes()};
  Buffer lse{device, heads* rows * 4};

  Problem(std::int64_t width, bool causal)
      : dim(width), plan(causal ? compiled(causal_bottom_right) : compiled(everything)) {
    std::vector<std::uint16_t> numbers(bytes() / 2);
    for (std::uint64_t tensor = 0; Buffer * buffer : {&q, &k, &v}) {
      for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers[i] =
            to_bf16(static_cast<float>((i * 2654435761u + tensor * 40503u) % 2001) / 1000.f - 1.f);
      buffer->upload(numbers.data(), numbers.size() * 2);
      ++tensor;
    }
  }

  std::size_t bytes() const { return static_cast<std::size_t>(heads * rows * dim * 2); }

  template <typename Mask>
  Plan compiled(Mask mask) const {
    return compile(device, flash_forward<DType::bf16>(mask), {.extents = {{D, dim}, {E, dim}}});
  }

  void launch() const {
    const auto tensor = [&](const Buffer& buffer) {
      return TensorView::contiguous(buffer.address(), DType::bf16, {1, heads, rows, dim});
    };
    plan.launch(Stream::default_stream(device),
                {{"q", tensor(q)},
                 {"k", tensor(k)},
                 {"v", tensor(v)},
                 {"out", tensor(out)},
                 {"lse", TensorView::contiguous(lse.address(), DType::f32, {1, heads, rows})},
                 {"softmax_scale", 0.125}});
    device.synchronize();
  }

  void configure(const char* detectors, const char* counters, const char* threads) const {
    const auto* emulator = device.emulator();
    emulator->configure("detectors", detectors);
    emulator->configure("counters", counters);
    emulator->configure("threads", threads);
  }

  /// Counted in a launch of its own, so that counting costs the timed ones nothing.
  double instructions() const {
    const auto* emulator = device.emulator();
    configure("off", "on", "1");
    emulator->reset();
    launch();
    return nlohmann::json::parse(emulator->counters()).at("warp_instructions");
  }
};

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Watching {
  const char *name, *detectors, *counters;
};

void forward(benchmark::State& state, std::int64_t dim, bool causal, Watching watching,
             bool all_cores) {
  const Problem problem(dim, causal);
  const double instructions = problem.instructions();
  problem.configure(watching.detectors, watching.counters, all_cores ? "0" : "1");
  const clockid_t clock = all_cores ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID;
  double best = std::numeric_limits<double>::infinity();
  for (auto _ : state) {
    const double start = seconds(clock);
    problem.launch();
    const double took = seconds(clock) - start;
    state.SetIterationTime(took);
    best = std::min(best, took);
  }
  problem.configure("on", "on", "0");
  const char* forced = std::getenv("TILEWRIGHT_EMULATOR_ISA");
  state.SetLabel(forced != nullptr && *forced != '\0' ? forced : "best instruction set");
  state.counters["best_ms"] = best * 1e3;
  state.counters["warp_instructions"] = instructions;
  if (!all_cores) state.counters["per_second_and_core"] = instructions / best;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr Watching all[] = {{"detectors_off", "off", "off"},
                              {"counters_only", "off", "on"},
                              {"detectors_on", "on", "on"}};
  for (const std::int64_t dim : {64, 128}) {
    for (const bool causal : {false, true}) {
      for (const Watching& watching : all) {
        for (const bool cores : {false, true}) {
          const std::string name = "d" + std::to_string(dim) + (causal ? "/causal/" : "/full/") +
                                   watching.name + (cores ? "/all_cores" : "/one_core");
          benchmark::RegisterBenchmark(name.c_str(), forward, dim, causal, watching, cores)
              ->Unit(benchmark::kMillisecond)
              ->UseManualTime();
        }
      }
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
