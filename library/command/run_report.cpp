// See run_report.hpp.
#include "command/run_report.hpp"

#include <fmt/core.h>

#include "command/table_text.hpp"

namespace tilewright::command {
namespace {

using library::AttentionShape;
using nlohmann::ordered_json;

ordered_json shape_json(const AttentionShape& shape) {
  return {{"batch", shape.batch},
          {"heads", shape.heads},
          {"kv_heads", shape.kv_heads},
          {"seqlen_q", shape.seqlen_q},
          {"seqlen_kv", shape.seqlen_kv},
          {"head_dim", shape.head_dim},
          {"value_dim", shape.value_dim},
          {"dtype", name(shape.dtype)},
          {"dot_precision", name(shape.dot_precision)},
          {"layout", name(shape.layout)},
          {"causal", shape.causal},
          {"causal_alignment", name(shape.causal_alignment)},
          {"softmax_scale", shape.softmax_scale}};
}

ordered_json number_or_null(const std::optional<library::Comparison>& check,
                            double library::Comparison::*field) {
  return check ? ordered_json((*check).*field) : ordered_json(nullptr);
}

void add_check(Rows& rows, const char* what, double error, double tolerance) {
  rows.push_back({what, fmt::format("max |error| {:.2e}  {}  tolerance {:.2e}", error,
                                    error <= tolerance ? "within" : "EXCEEDS", tolerance)});
}

std::string share(std::int64_t part, std::int64_t whole) {
  return fmt::format("{} ({:.0f} %)", part, whole == 0 ? 0.0 : 100.0 * part / whole);
}

}  // namespace

Rows request_rows(const RunReport& report) {
  Rows rows;
  const AttentionShape& s = report.shape;
  rows.push_back({"shape", fmt::format("batch {}, heads {}/{}, q {}, kv {}, head dim {}/{}, {} {}",
                                       s.batch, s.heads, s.kv_heads, s.seqlen_q, s.seqlen_kv,
                                       s.head_dim, s.value_dim, name(s.dtype), name(s.layout))});
  rows.push_back({"mask", s.causal ? fmt::format("causal, {}", name(s.causal_alignment)) : "none"});
  rows.push_back({"scale", fmt::format("{:.6g}", s.softmax_scale)});
  rows.push_back(
      {"input", report.input.empty() ? fmt::format("normal, seed {}", report.seed) : report.input});
  return rows;
}

void add_result(Rows& rows, const RunReport& report) {
  const library::RunResult& result = *report.result;
  const library::BlockCounts& blocks = result.blocks;
  const std::int64_t all = blocks.skipped + blocks.full + blocks.cut;
  rows.push_back({"device", fmt::format("{}, compiled for {}", result.device, result.arch)});
  const std::string order =
      result.is_gathered   ? ", keys gathered for the rows of a tile"
      : result.stride == 1 ? ""
                           : fmt::format(", every {}. {}key: regrouped by residue", result.stride,
                                         result.row_stride == 1 ? "" : "row and ");
  rows.push_back({"tile", fmt::format("{} x {}{}", result.tile_q, result.tile_kv, order)});
  rows.push_back({"blocks", fmt::format("skipped {}, full {}, cut {}", share(blocks.skipped, all),
                                        share(blocks.full, all), share(blocks.cut, all))});
  if (report.check) {
    add_check(rows, "out", report.check->max_abs_error, report.check->tolerance);
    add_check(rows, "lse", report.check->max_abs_error_lse, report.check->tolerance_lse);
  }
}

std::string faults_text(const std::vector<library::RunFault>& faults) {
  std::string text;
  for (const library::RunFault& fault : faults) {
    text += fmt::format("  {} in {}, block {},{},{} thread {},{},{}, PTX line {}{}\n    {}\n",
                        fault.kind, fault.kernel, fault.block[0], fault.block[1], fault.block[2],
                        fault.thread[0], fault.thread[1], fault.thread[2], fault.ptx_line,
                        fault.source.empty() ? "" : ", " + fault.source, fault.message);
  }
  return text;
}

ordered_json to_json(const RunReport& report) {
  using library::Comparison;
  const library::RunResult& result = *report.result;
  ordered_json faults = ordered_json::array();
  for (const library::RunFault& fault : result.faults) {
    faults.push_back({{"kind", fault.kind},
                      {"kernel", fault.kernel},
                      {"block", fault.block},
                      {"thread", fault.thread},
                      {"ptx_line", fault.ptx_line},
                      {"source", fault.source},
                      {"message", fault.message}});
  }
  return {{"ok", report.ok()},
          {"variant", report.variant},
          {"device", result.device},
          {"arch", result.arch},
          {"shape", shape_json(report.shape)},
          {"seed", report.input.empty() ? ordered_json(report.seed) : ordered_json(nullptr)},
          {"max_abs_error", number_or_null(report.check, &Comparison::max_abs_error)},
          {"tolerance", number_or_null(report.check, &Comparison::tolerance)},
          {"max_abs_error_lse", number_or_null(report.check, &Comparison::max_abs_error_lse)},
          {"tolerance_lse", number_or_null(report.check, &Comparison::tolerance_lse)},
          {"tile", {{"q", result.tile_q}, {"kv", result.tile_kv}}},
          {"stride", result.stride},
          {"row_stride", result.row_stride},
          {"gathered", result.is_gathered},
          {"blocks",
           {{"skipped", result.blocks.skipped},
            {"full", result.blocks.full},
            {"cut", result.blocks.cut}}},
          {"counters", result.counters},
          {"faults", faults}};
}

std::string to_text(const RunReport& report) {
  const library::RunResult& result = *report.result;
  Rows rows = request_rows(report);
  add_result(rows, report);
  if (!report.check) rows.push_back({"check", "not asked for (--check)"});
  rows.push_back({"faults", result.faults.empty() ? "none" : std::to_string(result.faults.size())});
  std::string text = report.variant + "\n" + aligned(rows, "  ");
  text += faults_text(result.faults);
  text += report.ok() ? "ok\n" : "FAILED\n";
  return text;
}

}  // namespace tilewright::command
