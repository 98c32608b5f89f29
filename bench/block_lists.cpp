// What the list of a mask that depends on data costs, made on the device in front of the attention:
// documents by token, a matrix of blocks for each head, a tree of drafts; and the gathering of a
// graph's keys, which the host does.
//
// On a GPU the time is its own, between two events, the median of twenty; on the emulator it is one
// launch, what was counted and no time, because its speed says nothing of a GPU's. The counters
// list_bytes and pairs say how the memory of a list compares with that of a mask: no buffer has the
// size of the pairs.
//
//   bench_block_lists --benchmark_filter=documents
#include <benchmark/benchmark.h>

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <tilewright/compile.hpp>
#include <tilewright/error.hpp>
#include <tilewright/library.hpp>

#include "measure/timing.hpp"
#include "patterns/random_keys.hpp"

namespace {

using namespace tilewright;
using Words = std::vector<std::int32_t>;

constexpr std::int64_t heads = 8;

struct Case {
  const char* name;
  Mask mask;
  /// The table of the launch: its name, extents and numbers, for so many tokens.
  const char* table;
  std::vector<std::int64_t> (*extents)(std::int64_t length);
  std::int32_t (*number)(std::int64_t at, std::int64_t length);
};

std::vector<Case> cases() {
  const IndexTable document("document", {TableExtent::any});
  return {
      {"documents", Mask([=](Index q, Index k) { return document(q) == document(k); }) && causal(),
       "document", [](std::int64_t length) { return std::vector{length}; },
       [](std::int64_t at, std::int64_t) { return static_cast<std::int32_t>(at * at / 100000); }},
      {"blocks", block_matrix(64), "blocks",
       [](std::int64_t length) {
         return std::vector{heads, length / 64, length / 64};
       },
       [](std::int64_t at, std::int64_t) {
         return static_cast<std::int32_t>(at * 2654435761 % 5 == 0);
       }},
      {"tree", tree(64), "ancestors",
       [](std::int64_t) {
         return std::vector<std::int64_t>{64, 2};
       },
       [](std::int64_t at, std::int64_t) { return static_cast<std::int32_t>(at * 40503); }},
  };
}

void list(benchmark::State& state, const Device& device, const Case& one, std::int64_t length) {
  const auto make = compile_block_list(device, one.mask);
  const AttentionExtents extents{1, heads, heads, length, length};
  const BlockListMemory memory(device, make.shape(extents));
  const std::vector<std::int64_t> shape = one.extents(length);
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  Words numbers;
  for (std::int64_t at = 0; at < count; ++at) numbers.push_back(one.number(at, length));
  Buffer table(device, numbers.size() * sizeof(std::int32_t));
  table.upload(numbers.data(), table.bytes());
  const BlockListArguments arguments{
      .tables = {{one.table, TensorView::contiguous(table.address(), i32, shape)}}};
  const Stream stream = Stream::default_stream(device);
  const auto launch = [&] { make.launch(stream, memory.tensors(1, heads), extents, arguments); };
  for (auto _ : state) {
    if (device.emulator() != nullptr) device.emulator()->reset();
    launch();
    device.synchronize();
    state.SetIterationTime(0);
    if (device.emulator() != nullptr) {
      const auto counted = nlohmann::json::parse(device.emulator()->counters());
      for (const char* name : {"global_bytes", "warp_instructions"})
        state.counters[name] = counted.at(name).get<double>();
    } else {
      const int calls = library::calls_of_a_millisecond(stream, launch);
      std::vector<double> times;
      for (int i = 0; i < 20; ++i) times.push_back(library::milliseconds_of(stream, calls, launch));
      state.SetIterationTime(library::spread_of(times).median / 1e3);
    }
  }
  state.SetLabel(device.is_emulator() ? "counted by the emulator: no time" : device.name());
  state.counters["list_bytes"] = static_cast<double>(memory.buffer().bytes());
  state.counters["pairs"] = static_cast<double>(heads * length * length);
}

/// A graph of 16 keys a row, for all heads.
void gather(benchmark::State& state, std::int64_t length) {
  const Words keys = library::random_keys(1, length, length, 16, false, 0);
  Words indptr;
  for (std::int64_t row = 0; row <= length; ++row)
    indptr.push_back(static_cast<std::int32_t>(16 * row));
  std::int64_t visited = 0;
  const clock_t begin = clock();
  for (auto _ : state)
    visited =
        TokenGraph::from_csr({.seqlen_q = length, .seqlen_kv = length}, indptr, keys).visited();
  state.SetLabel("of the host's processor");
  state.SetIterationTime(static_cast<double>(clock() - begin) / CLOCKS_PER_SEC);
  state.counters["visited"] = static_cast<double>(visited);
}

}  // namespace

int main(int count, char** words) try {
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 1;
  const Device device = Device::open();
  for (const Case& one : cases())
    for (const std::int64_t length : {1024, 4096, 16384}) {
      if (device.is_emulator() && length > 4096) continue;
      benchmark::RegisterBenchmark(
          (std::string(one.name) + "/" + std::to_string(length)).c_str(),
          [&device, one, length](benchmark::State& state) { list(state, device, one, length); })
          ->Iterations(1)
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    }
  for (const std::int64_t length : {1024, 4096, 16384})
    benchmark::RegisterBenchmark(("graph_on_host/" + std::to_string(length)).c_str(),
                                 [length](benchmark::State& state) { gather(state, length); })
        ->Iterations(1)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  const std::size_t ran = benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return ran == 0 ? 1 : 0;
} catch (const Error& error) {
  std::fprintf(stderr, "bench_block_lists: %s\n", error.what());
  return 1;
}
