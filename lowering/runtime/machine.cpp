// Reads /proc/meminfo and the control group's files (cgroup v2, then v1); see machine.hpp.
#include "runtime/machine.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace tilewright::runtime {
namespace {

constexpr std::uint64_t unknown = std::numeric_limits<std::uint64_t>::max();

std::uint64_t number_in(const std::string& path) {
  std::uint64_t number = 0;
  return std::ifstream(path) >> number ? number : unknown;  // "max" is no number
}

std::uint64_t left_in_group(const std::string& limit_file, const std::string& use_file) {
  const std::uint64_t limit = number_in(limit_file), used = number_in(use_file);
  if (limit == unknown || used == unknown) return unknown;
  return limit > used ? limit - used : 0;
}

std::uint64_t available_in_system() {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == "MemAvailable:" && file >> kilobytes) return kilobytes * 1024;
  }
  return unknown;
}

}  // namespace

std::uint64_t available_memory() {
  const std::string group = "/sys/fs/cgroup/";
  const std::uint64_t bytes = std::min(
      {available_in_system(), left_in_group(group + "memory.max", group + "memory.current"),
       left_in_group(group + "memory/memory.limit_in_bytes",
                     group + "memory/memory.usage_in_bytes")});
  return bytes == unknown ? 0 : bytes;
}

}  // namespace tilewright::runtime
