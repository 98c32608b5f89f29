// `tilewright doctor`: what was found on this machine, and what to install.
#include "command/doctor.hpp"

#include <fmt/core.h>

#include <sstream>

#include <nlohmann/json.hpp>
#include <tilewright/error.hpp>

#include "command/catalogue.hpp"
#include "command/context.hpp"
#include "command/table_text.hpp"
#include "runtime/errors.hpp"

namespace tilewright::command {
namespace {

using nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

const char* what_is_missing(const Examination& examination) {
  return examination.nvrtc.found ? "no device: neither a GPU nor the emulator can be used"
                                 : "NVRTC, which compiles the kernels, cannot be used";
}

ordered_json text_or_null(const std::string& text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

ordered_json to_json(const Finding& finding) {
  return {{"found", finding.found},
          {"version", text_or_null(finding.version)},
          {"path", text_or_null(finding.path)},
          {"problem", text_or_null(finding.problem)},
          {"install", text_or_null(finding.install)}};
}

ordered_json to_json(const Examination& examination) {
  ordered_json object{{"ok", examination.ok()}};
  if (!examination.ok()) {
    const std::string& install =
        examination.nvrtc.found ? examination.emulator.install : examination.nvrtc.install;
    const ErrorEntry& entry = examination.nvrtc.found ? errors::runtime["emulator-not-found"]
                                                      : errors::runtime["nvrtc-not-found"];
    object["error"] = {{"id", entry.id},
                       {"kind", name(entry.kind)},
                       {"argument", examination.nvrtc.found ? "device" : "nvrtc"},
                       {"value", ""},
                       {"allowed", install},
                       {"message", what_is_missing(examination)}};
  }
  object["nvrtc"] = to_json(examination.nvrtc);
  object["nvrtc"]["architectures"] = examination.nvrtc_architectures;
  object["gpu_driver"] = to_json(examination.gpu_driver);
  object["emulator"] = to_json(examination.emulator);
  object["devices"] = ordered_json::array();
  for (const DeviceFinding& device : examination.devices) {
    object["devices"].push_back({{"spec", device.spec},
                                 {"name", device.name},
                                 {"arch", device.arch},
                                 {"sm_count", device.sm_count},
                                 {"memory_bytes", device.memory_bytes}});
  }
  object["cache"] = {{"path", examination.cache.path},
                     {"enabled", examination.cache.limit != 0},
                     {"limit_bytes", examination.cache.limit},
                     {"writable", examination.cache.writable},
                     {"entries", examination.cache.entries},
                     {"bytes", examination.cache.bytes},
                     {"problem", text_or_null(examination.cache.problem)},
                     {"install", text_or_null(examination.cache.install)}};
  return object;
}

void add_finding(Rows& rows, const char* what, const Finding& finding, const char* necessity) {
  const char* state = finding.problem.empty() ? "found" : necessity;
  rows.push_back(
      {what, state, finding.problem.empty() ? finding.version + "  " + finding.path : ""});
  std::istringstream problem(finding.problem);  // where it was searched for, a line each
  for (std::string line; std::getline(problem, line);) {
    if (rows.back().back().empty())
      rows.back().back() = line;
    else
      rows.push_back({"", "", line});
  }
  if (!finding.install.empty()) rows.push_back({"", "", finding.install});
}

std::string to_text(const Examination& examination) {
  Rows rows;
  const bool has_device = !examination.devices.empty();
  add_finding(rows, "NVRTC", examination.nvrtc, "MISSING");
  add_finding(rows, "GPU driver", examination.gpu_driver, has_device ? "none" : "MISSING");
  add_finding(rows, "emulator", examination.emulator, has_device ? "none" : "MISSING");
  for (const DeviceFinding& device : examination.devices) {
    rows.push_back({"device", device.spec,
                    fmt::format("{}, {}, {} SMs, {}", device.name, device.arch, device.sm_count,
                                human_bytes(static_cast<double>(device.memory_bytes)))});
  }
  const CacheFinding& cache = examination.cache;
  const char* state = cache.limit == 0 && cache.problem.empty() ? "off"
                      : !cache.writable                         ? "READ-ONLY"
                      : !cache.problem.empty()                  ? "WRONG"
                                                                : "on";
  rows.push_back({"cache", state,
                  fmt::format("{}, {} {}, {} of {}", cache.path.empty() ? "no folder" : cache.path,
                              cache.entries, cache.entries == 1 ? "entry" : "entries",
                              human_bytes(static_cast<double>(cache.bytes)),
                              human_bytes(static_cast<double>(cache.limit)))});
  if (!cache.problem.empty()) rows.push_back({"", "", cache.problem});
  if (!cache.install.empty()) rows.push_back({"", "", cache.install});
  const std::string verdict =
      examination.ok()
          ? fmt::format("Kernels can be compiled, and run on {}.", examination.devices.front().spec)
          : fmt::format("Not ready: {}.", what_is_missing(examination));
  return aligned(rows) + "\n" + verdict + "\n";
}

/// `doctor --errors [ID]`: the catalogue, or one entry of it.
int show_errors(const Context& context, const Arguments& arguments) {
  const auto entries =
      arguments.given("ID") ? std::vector{&catalogued(arguments.text("ID"))} : catalogue();
  if (!arguments.flag("--json")) {
    context.out << catalogue_text(entries);
    return success;
  }
  ordered_json object{{"errors", ordered_json::array()}};
  for (const ErrorEntry* entry : entries)
    object["errors"].push_back({{"id", entry->id},
                                {"kind", name(entry->kind)},
                                {"cause", entry->cause},
                                {"remedy", entry->remedy}});
  context.out << json_text(object);
  return success;
}

}  // namespace

int doctor(const Context& context, const Arguments& arguments) {
  if (arguments.flag("--errors")) return show_errors(context, arguments);
  const Examination examination = examine();
  if (arguments.flag("--json")) {
    context.out << to_json(examination).dump(2, ' ', false, ordered_json::error_handler_t::replace)
                << "\n";
  } else {
    context.out << to_text(examination);
  }
  return examination.ok() ? success : missing;
}

}  // namespace tilewright::command
