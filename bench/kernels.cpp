// How fast the bundled kernels are on a GPU: `flash`, full and causal, head dimension 64 and 128,
// 512 to 16384 rows and keys, bf16 and f16, every head its own keys or four sharing them.
//
// The shapes are FlashAttention's: 16384 tokens in all, 2048 numbers a token over all heads. So is
// the count of operations: 4 S² D for each head and sequence, half of that when causal. A time is
// the GPU's own between two events, of enough launches to fill a millisecond; five repetitions,
// their median in the first line of each. On the emulator, small shapes, one launch each: what was
// counted, and no time, because its speed says nothing of a GPU's.
//
//   bench_kernels --benchmark_filter=causal.*d128 --benchmark_format=json
//
// One shape of your own: tilewright bench. tests/bench runs this on the emulator.
#include <benchmark/benchmark.h>

#include <nlohmann/json.hpp>
#include <string>
#include <tilewright/library.hpp>

#include "inputs/philox.hpp"
#include "measure/timing.hpp"
#include "measure/work.hpp"

namespace {

using namespace tilewright;

struct Case {
  DType dtype;
  bool causal;
  std::int64_t dim;
  AttentionExtents extents;

  std::string name() const {
    return "flash/" + std::string(tilewright::name(dtype)) + (causal ? "/causal" : "/full") + "/d" +
           std::to_string(dim) + "/batch" + std::to_string(extents.batch) + "/heads" +
           std::to_string(extents.heads) + "_" + std::to_string(extents.kv_heads) + "/seqlen" +
           std::to_string(extents.seqlen_q);
  }
};

/// Normal numbers in device memory, [batch, heads, length, dim].
struct Tensor {
  Tensor(const Device& device, const Case& c, std::int64_t heads, std::uint32_t stream)
      : view{0, c.dtype, {c.extents.batch, heads, c.extents.seqlen_q, c.dim}, {}} {
    std::size_t count = 1;
    for (const std::int64_t extent : view.extents) count *= static_cast<std::size_t>(extent);
    std::vector<std::uint16_t> halves(count);
    for (std::size_t i = 0; i < count; i += 4) {  // a count is a multiple of the dimension
      const auto four = inputs::normals(0, stream, i / 4);
      for (std::size_t j = 0; j < 4; ++j) {
        const auto number = static_cast<float>(four[j]);
        halves[i + j] = c.dtype == bf16 ? to_bf16(number) : to_f16(number);
      }
    }
    buffer = Buffer(device, 2 * count);
    buffer.upload(halves.data(), buffer.bytes());
    view = TensorView::contiguous(buffer.address(), c.dtype, view.extents);
  }
  TensorView view;
  Buffer buffer;
};

void forward(benchmark::State& state, const Device& device, const Case& c) {
  const Attention attention = c.causal ? Attention{}.mask(causal()) : Attention{};
  const auto plan = attention.compile(device, {.dtype = c.dtype, .head_dim = c.dim});
  const Tensor q(device, c, c.extents.heads, 0), k(device, c, c.extents.kv_heads, 1),
      v(device, c, c.extents.kv_heads, 2), out(device, c, c.extents.heads, 3);
  const Stream stream = Stream::default_stream(device);
  const auto launch = [&] {
    plan.launch(stream, {.q = q.view, .k = k.view, .v = v.view, .out = out.view});
  };
  const auto work = library::attention_work(c.extents, c.dim, c.dim, c.dtype, c.causal ? 0.5 : 1);

  if (device.is_emulator()) {
    device.emulator()->reset();
    for (auto _ : state) {
      launch();
      device.synchronize();
      state.SetIterationTime(0);
    }
    if (std::string(device.emulator()->faults()) != "[]") state.SkipWithError("a fault");
    const auto counted = nlohmann::json::parse(device.emulator()->counters());
    for (const char* name :
         {"global_bytes", "tensor_ops", "warp_instructions", "shared_wavefronts"})
      state.counters[name] = counted.at(name).get<double>();
    state.counters["flop"] = work.flops;
    state.SetLabel("counted by the emulator: no time");
    return;
  }
  const int calls = library::calls_of_a_millisecond(stream, launch);
  for (auto _ : state)
    state.SetIterationTime(library::milliseconds_of(stream, calls, launch) / 1e3);
  state.counters["TFLOP/s"] =
      benchmark::Counter(work.flops / 1e12, benchmark::Counter::kIsIterationInvariantRate);
  state.SetLabel(device.name());
}

std::vector<Case> cases(bool emulated) {
  std::vector<Case> result;
  for (const DType dtype : {bf16, f16})
    for (const bool causal : {false, true})
      for (const std::int64_t dim : {64, 128})
        for (const std::int64_t group : {1, 4})
          for (std::int64_t length = 512; length <= 16384; length *= 2) {
            AttentionExtents x{.batch = 16384 / length, .heads = 2048 / dim};
            if (emulated) x = {.batch = 1, .heads = 4};
            x.kv_heads = x.heads / group;
            x.seqlen_q = x.seqlen_kv = emulated ? length / 4 : length;
            if (emulated && length > 1024) break;
            result.push_back({dtype, causal, dim, x});
          }
  return result;
}

}  // namespace

int main(int count, char** words) try {
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 1;
  const Device device = Device::open();
  for (const Case& c : cases(device.is_emulator())) {
    auto* one = benchmark::RegisterBenchmark(
        c.name().c_str(), [&device, c](benchmark::State& state) { forward(state, device, c); });
    one->UseManualTime()->Unit(benchmark::kMillisecond);
    if (device.is_emulator())
      one->Iterations(1);
    else
      one->Repetitions(5)->ReportAggregatesOnly();
  }
  const std::size_t ran = benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return ran == 0 ? 1 : 0;
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
