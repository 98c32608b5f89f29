// The `tilewright` command as a function, so that tests call it in process.
#pragma once

#include <iostream>
#include <string>
#include <vector>

#include "variants/variant.hpp"

namespace tilewright::command {

/// Which of the streams are terminals: there, progress rewrites its line, and bytes are not shown.
struct Terminals {
  bool out = false, err = false;
};

/// Runs `tilewright ARGUMENTS...` and returns its exit status: 0 right; 1 the check failed, the run
/// faulted, or output could not be written; 2 the request is wrong; 3 something is missing on this
/// machine. Never throws. With --json, `out` receives exactly one JSON object, on failure
/// {"ok": false, "error": {...}}; otherwise failures are a sentence on `err`.
/// `in` is read where a file is named "-".
int command(const std::vector<std::string>& arguments, library::VariantTable variants,
            std::ostream& out, std::ostream& err, Terminals terminals = {},
            std::istream& in = std::cin);

}  // namespace tilewright::command
