// What `tilewright run` says about a run: one JSON object for programs, one table for people. The
// other subcommands that run something say the same in the same words.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "reference/compare.hpp"

namespace tilewright::command {

struct RunReport {
  std::string variant;
  library::AttentionShape shape;
  std::uint64_t seed = 0;
  std::string input;  ///< the file, or empty: normal numbers from `seed`
  const library::RunResult* result = nullptr;
  std::optional<library::Comparison> check;  ///< empty without --check

  /// No fault was found, and the check, if there was one, passed.
  bool ok() const { return result->faults.empty() && (!check || check->ok()); }
};

nlohmann::ordered_json to_json(const RunReport& report);
std::string to_text(const RunReport& report);

/// Parts of the table: what was asked for, what ran, what went wrong.
using Rows = std::vector<std::vector<std::string>>;
Rows request_rows(const RunReport& report);
void add_result(Rows& rows, const RunReport& report);
std::string faults_text(const std::vector<library::RunFault>& faults);

}  // namespace tilewright::command
