// `tilewright bench VARIANT`: what a launch costs. On a GPU its time, and the rate that follows
// from the operations as FlashAttention counts them; on the emulator what it counted, and no time.
//
// The result is not compared with anything: `run --check` does that.
#include <fmt/core.h>

#include "attention/kernel.hpp"
#include "command/context.hpp"
#include "command/run_report.hpp"
#include "command/shape_options.hpp"
#include "command/table_text.hpp"
#include "command/tensors.hpp"
#include "measure/timing.hpp"
#include "measure/work.hpp"
#include "variants/table.hpp"

namespace tilewright::command {
namespace {

using library::Spread;
using library::Work;
using nlohmann::ordered_json;

struct Bench {
  const RunReport& report;
  Work work;

  const library::RunResult& result() const { return *report.result; }
  bool timed() const { return !result().milliseconds.empty(); }
  Spread time() const { return library::spread_of(result().milliseconds); }
  double teraflops(double milliseconds) const { return work.flops / milliseconds / 1e9; }
};

ordered_json to_json(const Bench& bench) {
  ordered_json object = to_json(bench.report);
  for (const char* of_checks : {"max_abs_error", "tolerance", "max_abs_error_lse", "tolerance_lse"})
    object.erase(of_checks);
  object["flops"] = bench.work.flops;
  object["bytes"] = bench.work.bytes;
  object["milliseconds"] = nullptr;
  object["tflops"] = nullptr;
  if (bench.timed()) {
    const Spread time = bench.time();
    object["milliseconds"] = {{"median", time.median},
                              {"min", time.least},
                              {"max", time.most},
                              {"repetitions", bench.result().milliseconds.size()}};
    object["tflops"] = bench.teraflops(time.median);
  }
  return object;
}

std::string to_text(const Bench& bench) {
  Rows rows = request_rows(bench.report);
  add_result(rows, bench.report);
  rows.push_back({"work", fmt::format("{:.4g} Gflop, {:.4g} MB to move at least",
                                      bench.work.flops / 1e9, bench.work.bytes / 1e6)});
  if (bench.timed()) {
    const Spread time = bench.time();
    rows.push_back(
        {"time", fmt::format("{:.4g} ms (median of {}; {:.4g} to {:.4g})", time.median,
                             bench.result().milliseconds.size(), time.least, time.most)});
    rows.push_back({"rate", fmt::format("{:.4g} TFLOP/s, {:.4g} GB/s", bench.teraflops(time.median),
                                        bench.work.bytes / time.median / 1e6)});
  } else {
    rows.push_back({"time", "none: the emulator counts, its speed says nothing of a GPU's"});
    for (const auto& [name, count] : bench.result().counters.items())
      if (count.is_number()) rows.push_back({"", fmt::format("{:>14} {}", count.dump(), name)});
  }
  return bench.report.variant + "\n" + aligned(rows, "  ") + faults_text(bench.result().faults);
}

}  // namespace

int bench(const Context& context, const Arguments& arguments) {
  const library::VariantEntry entry =
      library::find_variant(context.variants, arguments.text("VARIANT"));
  library::Request request = request_of(arguments, entry, context.variants);
  request.timed = static_cast<int>(arguments.integer("--repetitions", 20, 1, 100'000));
  const std::uint64_t seed = request.seed;
  const HostTensors tensors = random_tensors(request.shape, seed);
  const library::RunResult result =
      entry.make()->run(request, arguments.text("--device"), tensors.inputs());

  const library::AttentionShape& shape = request.shape;
  const RunReport report{std::string(entry.name), shape, seed, "", &result, std::nullopt};
  const Bench bench{
      report, library::attention_work(library::extents_of(shape), shape.head_dim, shape.value_dim,
                                      shape.dtype, shape.causal ? 0.5 : 1)};
  context.out << (arguments.flag("--json") ? to_json(bench).dump(2) + "\n" : to_text(bench));
  return report.ok() ? success : failed;
}

}  // namespace tilewright::command
