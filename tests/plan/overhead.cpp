// What a launch costs beyond the driver's own call, in processor time of this thread, and which
// driver calls it makes: the kernel's, and none that allocates, loads or waits.
//
// NVRTC asks for the driver by name as well, and takes the stand-in badly: images are compiled into
// the cache before the stand-in is opened, and loaded from there.
#include <dlfcn.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <tilewright/library.hpp>

#include "loops/flash_forward.hpp"
#include "loops/standard_forward.hpp"
#include "plan_kernels.hpp"

using namespace tilewright;
using namespace tilewright::library;

namespace {

constexpr int batch = 2, heads = 4, rows = 70, keys = 90, dim = 64;

const auto flash = flash_forward<bf16>(causal_bottom_right);
const auto scores = standard_scores<bf16, f32>();
const auto weights = standard_weights<f32>(causal_bottom_right);
const auto values = standard_values<bf16, f32>();
const CompileRequest of_flash{.extents = {{D, dim}, {E, dim}}}, of_scores{.extents = {{D, dim}}},
    of_weights{}, of_values{.extents = {{E, dim}}};

void compile_into_cache(const KernelSource& kernel, const CompileRequest& request) {
  const Program program = make_program(kernel, "sm_80", request);
  for (const Lowered* form : {&program.aligned, &program.general})
    runtime::compile_image(form->text.text, form->text.symbol, "sm_80", runtime::ImageKind::cubin,
                           compile_options());
}

const Device& standin() {
  static const Device device = [] {
    ::setenv("TILEWRIGHT_CACHE_DIR", TILEWRIGHT_TEST_CACHE, 1);
    compile_into_cache(flash, of_flash);
    compile_into_cache(scores, of_scores);
    compile_into_cache(weights, of_weights);
    compile_into_cache(values, of_values);
    return Device::open("cuda:0");
  }();
  return device;
}

/// Driver calls so far: launches and memsets, or all others but the question for the context.
unsigned long calls(bool launches) {
  using Count = unsigned long (*)(int);
  static const auto count =
      reinterpret_cast<Count>(::dlsym(::dlopen("libcuda.so.1", RTLD_NOW), "standin_calls"));
  REQUIRE((count != nullptr));
  return count(launches ? 1 : 0);
}

std::vector<Binding> arguments() {
  const auto tensor = [](std::int64_t length) {
    return TensorView::contiguous(1 << 20, bf16, {batch, heads, length, dim});
  };
  return {{"q", tensor(rows)},
          {"k", tensor(keys)},
          {"v", tensor(keys)},
          {"out", tensor(rows)},
          {"lse", TensorView::contiguous(1 << 20, f32, {batch, heads, rows})},
          {"softmax_scale", 0.125}};
}

/// Nanoseconds of this thread's processor time for one call: the best of many rounds.
template <typename Action>
double nanoseconds(const Action& action) {
  const auto now = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return 1e9 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec);
  };
  constexpr int repeats = 500;
  double best = 1e9;
  for (int round = 0; round < 40; ++round) {
    const double start = now();
    for (int i = 0; i < repeats; ++i) action();
    best = std::min(best, (now() - start) / repeats);
  }
  return best;
}

double bare_launch() {
  const auto& driver = standin().driver();
  std::uint64_t values[32] = {};
  void* parameters[32];
  for (int i = 0; i < 32; ++i) parameters[i] = &values[i];
  return nanoseconds(
      [&] { driver.launch_kernel(nullptr, 1, 1, 1, 256, 1, 1, 0, nullptr, parameters, nullptr); });
}

}  // namespace

TEST_CASE("a launch of one kernel: less than a microsecond of its own") {
  const Plan plan = compile(standin(), flash, of_flash);
  const Stream stream = Stream::default_stream(standin());
  const auto given = arguments();
  const unsigned long launched = calls(true), others = calls(false);
  plan.launch(stream, given);
  CHECK(calls(true) == launched + 1);
  CHECK(calls(false) == others);
  const double bare = bare_launch(), whole = nanoseconds([&] { plan.launch(stream, given); });
  std::printf("one kernel: %.0f ns, of it the driver's call %.0f ns\n", whole, bare);
  CHECK(whole - bare < 1000);
}

TEST_CASE("a launch by the builder's plan: the same driver call, less than two microseconds more") {
  standin();
  const auto plan =
      Attention{}.mask(tilewright::causal()).compile(standin(), {.dtype = bf16, .head_dim = dim});
  const Stream stream = Stream::default_stream(standin());
  const auto given = arguments();
  const AttentionTensors tensors{.q = given[0].tensor,
                                 .k = given[1].tensor,
                                 .v = given[2].tensor,
                                 .out = given[3].tensor,
                                 .lse = given[4].tensor};
  const unsigned long launched = calls(true), others = calls(false);
  plan.launch(stream, tensors);
  CHECK(calls(true) == launched + 1);
  CHECK(calls(false) == others);
  const double bare = bare_launch(), whole = nanoseconds([&] { plan.launch(stream, tensors); });
  std::printf("by the builder's plan: %.0f ns, of it the driver's call %.0f ns\n", whole, bare);
  CHECK(whole - bare < 2000);
}

TEST_CASE("a launch of three kernels through a reserved workspace") {
  Plan plan{compile(standin(), scores, of_scores), compile(standin(), weights, of_weights),
            compile(standin(), values, of_values)};
  plan.reserve({{B, batch}, {HQ, heads}, {M, rows}, {N, keys}});
  const Stream stream = Stream::default_stream(standin());
  const auto given = arguments();
  const unsigned long launched = calls(true), others = calls(false);
  plan.launch(stream, given);
  CHECK(calls(true) == launched + 3);
  CHECK(calls(false) == others);
  const double bare = bare_launch(), whole = nanoseconds([&] { plan.launch(stream, given); });
  std::printf("three kernels and a workspace: %.0f ns, of it the driver's calls %.0f ns\n", whole,
              3 * bare);
  CHECK(whole - 3 * bare < 2000);
}
