// How fast the emulator is, over a whole generated kernel: causal attention forward, 4 heads, 1024
// rows, head dimension 64, with the detectors off and on. Reported: wall time of one launch and
// warp instructions per second (of all host threads together).
#include <benchmark/benchmark.h>

#include <nlohmann/json.hpp>
#include <tilewright/compile.hpp>

#include "loops/flash_forward.hpp"

namespace {

using namespace tilewright;
using namespace tilewright::library;

constexpr std::int64_t heads = 4, rows = 1024, dim = 64;

struct Problem {
  Device device = Device::open("emulator:sm_80");
  Plan plan = compile(device, flash_forward<DType::bf16>(causal_bottom_right),
                      {.extents = {{D, dim}, {E, dim}}});
  Buffer q{device, heads*rows*dim * 2}, k{device, heads*rows*dim * 2},
      v{device, heads*rows*dim * 2};
  Buffer out{device, heads*rows*dim * 2}, lse{device, heads*rows * 4};

  Problem() {
    std::vector<std::uint16_t> numbers(heads * rows * dim);
    for (std::uint64_t tensor = 0; Buffer * buffer : {&q, &k, &v}) {
      for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers[i] =
            to_bf16(static_cast<float>((i * 2654435761u + tensor * 40503u) % 2001) / 1000.f - 1.f);
      buffer->upload(numbers.data(), numbers.size() * 2);
      ++tensor;
    }
  }

  void launch() const {
    const auto tensor = [](const Buffer& buffer) {
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
};

void causal_forward(benchmark::State& state, const char* detectors, const char* counters) {
  const Problem problem;
  const auto* emulator = problem.device.emulator();
  // Instructions are counted in a launch of their own, so that counting costs the timed ones
  // nothing.
  emulator->configure("counters", "on");
  emulator->reset();
  problem.launch();
  const double instructions = nlohmann::json::parse(emulator->counters()).at("warp_instructions");
  emulator->configure("detectors", detectors);
  emulator->configure("counters", counters);
  for (auto _ : state) problem.launch();
  emulator->configure("detectors", "on");
  emulator->configure("counters", "on");
  state.counters["warp_instructions_per_second"] = benchmark::Counter(
      instructions * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

BENCHMARK_CAPTURE(causal_forward, detectors_off, "off", "off")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(causal_forward, counters_only, "off", "on")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(causal_forward, detectors_on, "on", "on")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
