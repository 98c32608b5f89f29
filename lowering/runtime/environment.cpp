// Reads the variables of environment.hpp. An empty value counts as unset, as shells make it easy
// to export one by accident.
// Next: tests/runtime/environment_test.cpp.
#include "runtime/environment.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <tilewright/error.hpp>

#include "runtime/byte_size.hpp"
#include "runtime/errors.hpp"

namespace tilewright::runtime::environment {
namespace {

std::string value(const char* variable) {
  const char* text = std::getenv(variable);
  return text ? text : "";
}

std::string home_directory() {
  std::string home = value("HOME");
  if (!home.empty()) return home;
  const passwd* account = getpwuid(getuid());
  return account && account->pw_dir ? account->pw_dir : "";
}

}  // namespace

std::string device() { return value("TILEWRIGHT_DEVICE"); }

std::string nvrtc_path() { return value("TILEWRIGHT_NVRTC_PATH"); }

std::filesystem::path cache_directory() {
  if (const std::string own = value("TILEWRIGHT_CACHE_DIR"); !own.empty()) return own;
  // The XDG base directory rules say that a relative path there is to be ignored.
  if (const std::filesystem::path shared = value("XDG_CACHE_HOME"); shared.is_absolute())
    return shared / "tilewright";
  const std::string home = home_directory();
  return home.empty() ? std::filesystem::path{}
                      : std::filesystem::path(home) / ".cache" / "tilewright";
}

std::uint64_t cache_limit() {
  const std::string word = value("TILEWRIGHT_CACHE");
  if (word.empty() || word == "on" || word == "1") return default_cache_bytes;
  if (word == "off" || word == "0") return 0;
  if (const auto bytes = parse_byte_size(word)) return *bytes;
  throw Error(errors::runtime["environment-invalid"], "TILEWRIGHT_CACHE is not understood",
              {"TILEWRIGHT_CACHE", word, std::string("on, off, or ") + byte_size_form, ""});
}

std::filesystem::path dump_directory() { return value("TILEWRIGHT_DUMP_DIR"); }

LogLevel log_level() {
  const std::string word = value("TILEWRIGHT_LOG");
  if (word.empty() || word == "0" || word == "off") return LogLevel::silent;
  if (word == "1" || word == "info") return LogLevel::info;
  if (word == "2" || word == "debug") return LogLevel::debug;
  throw Error(errors::runtime["environment-invalid"], "TILEWRIGHT_LOG is not understood",
              {"TILEWRIGHT_LOG", word, "0, off, 1, info, 2, debug", ""});
}

std::vector<std::filesystem::path> linker_search_folders() {
  std::vector<std::filesystem::path> folders;
  const std::string list = value("LD_LIBRARY_PATH");
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find_first_of(":;", begin), list.size());
    if (end > begin) folders.emplace_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return folders;
}

}  // namespace tilewright::runtime::environment
