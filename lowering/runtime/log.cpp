// Standard error only: with `--json` a program's standard output belongs to its one JSON object.
#include "runtime/log.hpp"

#include <cstdio>
#include <mutex>
#include <set>

#include "runtime/environment.hpp"

namespace tilewright::runtime {
namespace {

void write_line(const char* label, const std::string& text) {
  const std::string line = std::string("tilewright") + label + ": " + text + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

void log_info(const std::string& text) {
  if (environment::log_level() >= environment::LogLevel::info) write_line("", text);
}

void log_debug(const std::string& text) {
  if (environment::log_level() >= environment::LogLevel::debug) write_line("", text);
}

bool warn_once(const std::string& key, const std::string& text) {
  static std::mutex mutex;
  static std::set<std::string> shown;
  {
    std::lock_guard lock(mutex);
    if (!shown.insert(key).second) return false;
  }
  write_line(" warning", text);
  return true;
}

}  // namespace tilewright::runtime
