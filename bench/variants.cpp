// What every bundled variant costs, with its default options: forward, 8 heads of 64 numbers, bf16.
//
// On a GPU: 4096 rows and keys; the time is the GPU's own between two events, the median of twenty.
// On the emulator: 512, one launch, what was counted and no time, because its speed says nothing of
// a GPU's. Variants whose options decide their lengths keep them. Work of the whole matrix is 4 S²
// D for each head; what a variant skips shows in the tensor operations.
//
//   bench_variants --benchmark_filter=sliding --benchmark_format=json
//
// A new file of library/bundled/ is in it without further ado; one shape of your own: tilewright
// bench.
#include <benchmark/benchmark.h>

#include <nlohmann/json.hpp>
#include <tilewright/compile.hpp>

#include "command/command_line.hpp"
#include "command/shape_options.hpp"
#include "command/tensors.hpp"
#include "measure/timing.hpp"
#include "variants/table.hpp"

namespace {

using namespace tilewright;

library::Request request_of(const library::VariantEntry& entry, bool emulated) {
  std::vector<std::string> words{"run", entry.name};
  if (!entry.shape) words.insert(words.end(), {"--seqlen-q", emulated ? "512" : "4096"});
  library::Request request = command::request_of(
      command::parse(words, library::variants()).arguments, entry, library::variants());
  request.timed = emulated ? 0 : 20;
  return request;
}

void forward(benchmark::State& state, const Device& device, const library::VariantEntry& entry) {
  const library::Request request = request_of(entry, device.is_emulator());
  const command::HostTensors tensors = command::random_tensors(request.shape, request.seed);
  const auto variant = entry.make();
  for (auto _ : state) {
    const library::RunResult result = variant->run(request, device.spec(), tensors.inputs());
    if (!result.faults.empty()) state.SkipWithError("a fault");
    for (const char* name : {"global_bytes", "tensor_ops", "warp_instructions"})
      if (result.counters.contains(name))
        state.counters[name] = result.counters.at(name).get<double>();
    state.counters["visited"] = static_cast<double>(result.blocks.full + result.blocks.cut);
    state.counters["full"] = static_cast<double>(result.blocks.full);
    state.counters["skipped"] = static_cast<double>(result.blocks.skipped);
    const bool timed = !result.milliseconds.empty();
    state.SetIterationTime(timed ? library::spread_of(result.milliseconds).median / 1e3 : 0);
    state.SetLabel(timed ? device.name() : "counted by the emulator: no time");
  }
}

}  // namespace

int main(int count, char** words) try {
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 1;
  const Device device = Device::open();
  for (const library::VariantEntry& entry : library::variants())
    benchmark::RegisterBenchmark(
        entry.name.c_str(),
        [&device, &entry](benchmark::State& state) { forward(state, device, entry); })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(1);
  const std::size_t ran = benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return ran == 0 ? 1 : 0;
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
