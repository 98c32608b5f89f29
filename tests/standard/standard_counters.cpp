// What the emulator counts of each of the three kernels is what the algorithm needs, in closed
// form: bytes, 32-byte sectors, passes over shared memory of 128 bytes each, tensor operations.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "kernels/form_launch.hpp"
#include "loops/standard_forward.hpp"
#include "standard_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr std::int64_t batch = 2, heads = 4, kv_heads = 2, M = 256, N = 384, D = 64, E = 128;
constexpr std::int64_t instances = batch * heads;

struct Counted {
  nlohmann::json counters;
  std::int64_t rows = 0, keys = 0, warps = 0;  ///< of the kernel's tiles
  std::int64_t operator()(const char* what) const { return counters.at(what); }
};

/// Runs a kernel alone, its Temps bound as tensors.
Counted count(const KernelSource& kernel, const CompileRequest& request,
              const std::vector<std::string>& names) {
  const std::map<std::string, ir::HostTensor> all{
      {"q", ir::HostTensor::zeros(bf16, {batch, heads, M, D})},
      {"k", ir::HostTensor::zeros(bf16, {batch, kv_heads, N, D})},
      {"v", ir::HostTensor::zeros(bf16, {batch, kv_heads, N, E})},
      {"s", ir::HostTensor::zeros(f32, {batch, heads, M, N})},
      {"p", ir::HostTensor::zeros(f32, {batch, heads, M, N})},
      {"out", ir::HostTensor::zeros(bf16, {batch, heads, M, E})},
      {"lse", ir::HostTensor::zeros(f32, {batch, heads, M})}};
  std::map<std::string, ir::HostTensor> used;
  for (const std::string& name : names)
    if (name != "softmax_scale") used[name] = all.at(name);
  const DeviceTensors tensors(emulator(), used);
  std::vector<Binding> arguments = tensors.bindings();
  if (used.size() != names.size()) arguments.emplace_back("softmax_scale", 0.125);

  const Program program = make_program(kernel, "sm_80", request);
  const emit::KernelText& text = program.aligned.text;
  launch_form(emulator(), program, true,
              runtime::compile_image(text.text, text.symbol, "sm_80", runtime::ImageKind::ptx,
                                     compile_options())
                  .bytes,
              arguments);
  CHECK(emulator().emulator()->faults() == std::string("[]"));
  const auto& tile = program.aligned.schedule.tile;
  Counted counted{nlohmann::json::parse(emulator().emulator()->counters()), tile.at("q"),
                  tile.at("kv"), text.threads / 32};
  REQUIRE(M % counted.rows == 0);
  REQUIRE(N % counted.keys == 0);
  CHECK(counted("shared_conflicts") == 0);
  CHECK(counted("shared_wavefronts") == counted("shared_accesses"));
  CHECK(counted("global_load_sectors") == counted("global_load_bytes") / 32);
  return counted;
}

}  // namespace

TEST_CASE("scores: each pair of tiles reads its rows of q and k once and writes its piece of S") {
  const Counted counted = count(library::standard_scores<bf16, f32>(), {.extents = {{"d", D}}},
                                {"q", "k", "s", "softmax_scale"});
  const std::int64_t pairs = instances * (M / counted.rows) * (N / counted.keys);
  const std::int64_t read = 2 * D * (counted.rows + counted.keys);
  CHECK(counted("global_load_bytes") == pairs * read);
  CHECK(counted("global_store_bytes") == instances * M * N * 4);
  CHECK(counted("global_store_sectors") == instances * M * N * 4 / 32);
  CHECK(counted("tensor_ops") == instances * 2 * M * N * D);
  // In, and out again: a row of q to its own warp, k to all of them.
  CHECK(counted("shared_wavefronts") ==
        pairs * (read + 2 * D * (counted.rows + counted.warps * counted.keys)) / 128);
}

TEST_CASE("weights: S once as far as the mask shows for the maximum, all of it for P") {
  for (const bool causal : {false, true}) {
    CAPTURE(causal);
    const std::vector<std::string> names{"s", "p", "lse"};
    const Counted counted =
        causal ? count(library::standard_weights<f32>(library::causal_bottom_right), {}, names)
               : count(library::standard_weights<f32>(library::everything), {}, names);
    std::int64_t visited = 0;  // tiles of one head, counted one by one
    for (std::int64_t m = 0; m < M; m += counted.rows)
      for (std::int64_t n = 0; n < N; n += counted.keys)
        visited += !causal || n <= m + counted.rows - 1 + N - M;
    CHECK(counted("global_load_bytes") ==
          instances * 4 * (visited * counted.rows * counted.keys + M * N));
    CHECK(counted("global_store_bytes") == instances * 4 * (M * N + M));
    // Each warp writes the logsumexp of its own row: a sector apiece.
    CHECK(counted("global_store_sectors") == instances * (4 * M * N / 32 + M));
    CHECK(counted("tensor_ops") == 0);
    CHECK(counted("shared_accesses") == 0);
  }
}

TEST_CASE("values: each tile of rows reads its P once and all of v") {
  const Counted counted =
      count(library::standard_values<bf16, f32>(), {.extents = {{"e", E}}}, {"p", "v", "out"});
  const std::int64_t blocks = instances * (M / counted.rows);
  CHECK(counted("global_load_bytes") == instances * 4 * M * N + blocks * 2 * N * E);
  CHECK(counted("global_store_bytes") == instances * 2 * M * E);
  CHECK(counted("global_store_sectors") == instances * 2 * M * E / 32);
  CHECK(counted("tensor_ops") == instances * 2 * M * N * E);
  // v in, and out again to every warp; the result in and out.
  CHECK(counted("shared_wavefronts") ==
        blocks * ((1 + counted.warps) * 2 * N * E + 2 * 2 * counted.rows * E) / 128);
}
