// Runs the command in process with the tests' own variants, and reads what it printed.
#pragma once

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "command/command.hpp"
#include "fake_variant.hpp"

namespace tilewright::test {

struct Outcome {
  int status = 0;
  std::string out, err;

  /// The one JSON object on standard output; a failed test if there is anything else.
  nlohmann::json json() const {
    INFO(out);
    REQUIRE(nlohmann::json::accept(out));
    return nlohmann::json::parse(out);
  }
};

/// `line` is split at spaces.
inline Outcome invoke(const std::string& line, bool out_is_terminal = false) {
  std::istringstream words(line);
  std::vector<std::string> arguments;
  for (std::string word; words >> word;) arguments.push_back(word);
  std::ostringstream out, err;
  const int status =
      command::command(arguments, fake_variants(), out, err, {.out = out_is_terminal});
  return {status, out.str(), err.str()};
}

/// Runs `line` with --json and requires this refusal: nothing but the error object, all its fields.
inline void require_refused(const std::string& line, int status, const std::string& kind,
                            const std::string& argument, const std::string& value = {},
                            const std::string& id = {}) {
  CAPTURE(line);
  const Outcome outcome = invoke(line + " --json");
  CHECK(outcome.status == status);
  CHECK(outcome.err.empty());
  const auto object = outcome.json();
  CHECK(object.at("ok") == false);
  const auto& error = object.at("error");
  for (const char* field : {"id", "kind", "argument", "value", "allowed", "message"}) {
    CHECK(error.at(field).is_string());
  }
  CHECK(error.at("kind") == kind);
  CHECK(error.at("argument") == argument);
  if (!value.empty()) CHECK(error.at("value") == value);
  if (!id.empty()) CHECK(error.at("id") == id);
  CHECK(!error.at("message").get<std::string>().empty());

  const Outcome spoken = invoke(line);
  CHECK(spoken.status == status);
  CHECK(spoken.out.empty());
  CHECK(spoken.err.find("tilewright: ") == 0);
}

}  // namespace tilewright::test
