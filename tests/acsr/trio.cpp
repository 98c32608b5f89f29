// `tilewright run acsr --trio`: types, head dimensions, layouts, lengths and what it is composed
// with, as the command gives them; what is refused; and that work follows the visible pairs. (Every
// pattern at awkward lengths: tests/variants/sweep.cpp.)
#include <nlohmann/json.hpp>
#include <sstream>

#include "calls/calls.hpp"
#include "command/command.hpp"
#include "variants/table.hpp"

namespace {

/// Exit status and the JSON object.
std::pair<int, nlohmann::json> asked(const std::string& line) {
  calls::emulator();
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  std::ostringstream out, err;
  const int status = tilewright::command::command(words, tilewright::library::variants(), out, err);
  return {status, nlohmann::json::parse(out.str())};
}

void check(const std::string& line) {
  CAPTURE(line);
  const auto [status, report] = asked("run " + line + " --check --json --device emulator:sm_80");
  CAPTURE(report.dump());
  CHECK(status == 0);
  CHECK(report.at("ok") == true);
}

void check_refused(const std::string& line, const std::string& argument) {
  CAPTURE(line);
  const auto [status, report] = asked("run " + line + " --json --device emulator:sm_80");
  CHECK(status == 2);
  CHECK(report.at("error").at("argument") == argument);
}

double counter(const std::string& line, const char* name) {
  const auto [status, report] = asked("run " + line + " --json --device emulator:sm_80");
  CHECK(status == 0);
  return report.at("counters").at(name);
}

}  // namespace

TEST_CASE("types, head dimensions, layouts and query heads that share keys") {
  check("acsr --trio --seqlen-q 130 --heads 4 --kv-heads 2 --dtype f32 --head-dim 40 --batch 2");
  check("acsr --trio --seqlen-q 65 --heads 2 --dtype f32 --head-dim 200 --pattern merged_strided");
  check("acsr --trio --seqlen-q 65 --heads 2 --dtype f32 --dot-precision tf32 --pattern strided");
  check(
      "acsr --trio --seqlen-q 130 --heads 6 --kv-heads 3 --dtype f16 --head-dim 128 --value-dim 72"
      " --layout bshd --pattern fixed_union --width 20");
  check(
      "acsr --trio --seqlen-q 100 --seqlen-kv 70 --heads 2 --head-dim 80 --pattern dilated"
      " --causal --causal-alignment top-left");
  check("acsr --trio --seqlen-q 100 --seqlen-kv 70 --heads 2 --pattern longformer --causal");
  check(
      "acsr --trio --seqlen-q 96 --heads 2 --tile-q 32 --tile-kv 16 --pattern blocked --width 20");
}

TEST_CASE("rows of one key, rows of none, no rows, no keys") {
  check("acsr --trio --seqlen-q 65 --heads 2 --width 0");
  check("acsr --trio --seqlen-q 130 --seqlen-kv 20 --heads 2 --pattern window --width 3");
  check("acsr --trio --seqlen-q 70 --heads 2 --pattern fixed_summary --width 90");
  check("acsr --trio --seqlen-q 0 --seqlen-kv 20 --heads 2");
  check("acsr --trio --seqlen-q 20 --seqlen-kv 0 --heads 2");
  check("acsr --trio --seqlen-q 20 --heads 0");
  check("acsr --trio --seqlen-q 20 --heads 2 --batch 0");
}

TEST_CASE("with score functions") {
  check("alibi+acsr --trio --seqlen-q 130 --heads 4 --pattern causal_strided --width 7");
  check("acsr+softcap --trio --seqlen-q 65 --heads 2 --pattern fixed_union --width 9 --causal");
}

TEST_CASE("what three kernels don't do") {
  check_refused("acsr+chunked --trio --seqlen-q 64", "--trio");
  check_refused("acsr+sinks --trio --seqlen-q 64", "--trio");
  check_refused("acsr+rope --trio --seqlen-q 64", "--trio");
  check_refused("acsr --trio --seqlen-q 64 --regroup on", "--regroup");
  check_refused("acsr --pattern spiral", "--pattern");
  check_refused("acsr --pattern strided --width 0", "--width");
}

TEST_CASE("operations and bytes follow the visible tiles") {
  const std::string line = " --trio --seqlen-q 512 --heads 1 --pattern ";
  // A window of 64 to the left visits 2 tiles of 64 in a row of 8, but the first.
  const double narrow = counter("acsr --width 64" + line + "causal_window", "tensor_ops"),
               all = counter("acsr --width 512" + line + "window", "tensor_ops");
  CHECK(narrow / all == doctest::Approx(15.0 / 64));
  // 8 of 512 keys: S and P are 8 numbers a row.
  const double compressed = counter("acsr --width 64" + line + "strided", "global_bytes"),
               dense = counter("standard --seqlen-q 512 --heads 1", "global_bytes");
  CHECK(compressed < dense / 3);
}
