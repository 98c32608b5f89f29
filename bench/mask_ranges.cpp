// What a mask costs before the first launch: its ranges derived from the expression, then evaluated
// for every block of rows at 1,048,576 rows and keys, tiles of 64. The counter peak_bytes is the
// most memory that was held on top of what was there before; a table of blocks would have 2^28
// entries. Masks with a congruence that no window bounds look at their tiles one by one.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <tilewright/compile.hpp>
#include <tilewright/library.hpp>

#include "attention/kernel.hpp"
#include "passes/analyze_masks.hpp"

namespace {
std::atomic<std::int64_t> held = 0, most_held = 0;
}  // namespace

__attribute__((noinline)) void* operator new(std::size_t bytes) {
  void* at = std::malloc(bytes);
  if (at == nullptr) throw std::bad_alloc();
  held += static_cast<std::int64_t>(malloc_usable_size(at));
  if (held > most_held) most_held = held.load();
  return at;
}
__attribute__((noinline)) void operator delete(void* at) noexcept {
  held -= static_cast<std::int64_t>(malloc_usable_size(at));
  std::free(at);
}
__attribute__((noinline)) void operator delete(void* at, std::size_t) noexcept {
  operator delete(at);
}

using namespace tilewright;
using namespace tilewright::library;

namespace {

constexpr std::int64_t length = 1 << 20;

void ranges(benchmark::State& state, const Mask& mask) {
  const Program program = make_program(*attention_kernel({.mask = mask}, bf16), "sm_80",
                                       {.extents = {{"d", 64}, {"e", 64}}, .schedule = {}});
  ir::Kernel kernel = program.traced.clone();
  for (ir::Axis& axis : kernel.axes)
    if (axis.kind != ir::Axis::Kind::whole) axis.tile = 64;
  ir::Inputs inputs;
  inputs.extents = {{"batch", 1}, {"q_head", 1}, {"kv_head", 1}, {"d", 64},
                    {"e", 64},    {"q", length}, {"kv", length}};
  if (mask.tree())
    for (const ScoreTree& argument : arguments_of(std::array{mask.tree()}))
      inputs.scalars[argument->name] = argument->constant;
  passes::BlockCounts counts;
  const std::int64_t before = held;
  most_held = before;
  for (auto _ : state) {
    ir::Kernel fresh = kernel.clone();
    passes::analyze_masks(fresh);
    for (const auto& operation : fresh.body.operations)
      if (operation->op == Op::for_blocks) counts = passes::count_blocks(fresh, *operation, inputs);
    benchmark::DoNotOptimize(counts);
  }
  state.counters["peak_bytes"] = static_cast<double>(most_held - before);
  state.counters["visited"] = static_cast<double>(counts.full + counts.cut);
}

#define RANGES(name, ...) \
  BENCHMARK_CAPTURE(ranges, name, Mask(__VA_ARGS__))->Unit(benchmark::kMillisecond)

Mask mask_of(Mask (*formula)(const Index& q, const Index& k)) {
  return Mask([=](Index q, Index k) { return formula(q, k); });
}

RANGES(causal, causal());
RANGES(window, window(4095, 0));
RANGES(prefix, prefix_lm(10000));
RANGES(chunks, chunked(8192));
RANGES(sinks_and_window,
       causal() && mask_of([](const Index& q, const Index& k) { return k < 4 || q - k < 4096; }));
RANGES(outside_a_window, !window(4095, 4095));
RANGES(dilated_window, mask_of([](const Index& q, const Index& k) {
         return (q - k) % 256 == 0 && abs(q - k) <= 16 * 256;
       }));
RANGES(strided,
       mask_of([](const Index& q, const Index& k) { return k <= q && (q - k) % 1024 == 0; }));
RANGES(fixed, mask_of([](const Index& q, const Index& k) {
         return (k / 1024 == q / 1024 && k <= q) || (k <= q && k % 1024 >= 1016);
       }));

}  // namespace

BENCHMARK_MAIN();
