// What the runtime says on standard error: nothing, unless asked (TILEWRIGHT_LOG) or unless a user
// must know (a warning, once per process and key).
// The one idea: one complete line per message, written with one call, so that lines of several
// threads never mix.
// Next: compile.cpp, which writes one line per compile with its time.
#pragma once

#include <string>

namespace tilewright::runtime {

/// Shown with TILEWRIGHT_LOG=info or debug.
void log_info(const std::string& text);

/// Shown with TILEWRIGHT_LOG=debug.
void log_debug(const std::string& text);

/// Always shown, but once per process for each `key`; returns whether it was shown now.
bool warn_once(const std::string& key, const std::string& text);

}  // namespace tilewright::runtime
