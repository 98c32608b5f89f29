// `tilewright cache ls|path|clear`: the compiled kernels kept on disk.
#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "command/context.hpp"
#include "command/table_text.hpp"
#include "runtime/cache.hpp"
#include "runtime/environment.hpp"

namespace tilewright::command {
namespace {

using nlohmann::ordered_json;

/// The folder is shown and cleared even where TILEWRIGHT_CACHE=off keeps kernels from using it.
runtime::Cache cache_on_disk() { return runtime::Cache(runtime::environment::cache_directory()); }

std::string age_text(std::chrono::seconds age) {
  const auto seconds = age.count();
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 2 * 3600) return fmt::format("{} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86400);
}

}  // namespace

int cache_list(const Context& context, const Arguments& arguments) {
  const runtime::Cache cache = cache_on_disk();
  const std::uint64_t limit = runtime::environment::cache_limit();
  const std::vector<runtime::CacheEntry> entries = cache.list();
  std::uint64_t bytes = 0;
  for (const runtime::CacheEntry& entry : entries) bytes += entry.bytes;
  if (arguments.flag("--json")) {
    ordered_json list = ordered_json::array();
    for (const runtime::CacheEntry& entry : entries) {
      list.push_back({{"key", entry.key},
                      {"kernel", entry.label.kernel},
                      {"arch", entry.label.architecture},
                      {"kind", name(entry.label.kind)},
                      {"bytes", entry.bytes},
                      {"age_seconds", entry.age.count()}});
    }
    context.out << json_text({{"path", cache.root().string()},
                              {"limit_bytes", limit},
                              {"bytes", bytes},
                              {"entries", list}});
    return success;
  }
  std::vector<std::vector<std::string>> rows{{"KERNEL", "ARCH", "KIND", "SIZE", "USED", "KEY"}};
  for (const runtime::CacheEntry& entry : entries) {
    rows.push_back({entry.label.kernel, entry.label.architecture, name(entry.label.kind),
                    human_bytes(static_cast<double>(entry.bytes)), age_text(entry.age) + " ago",
                    entry.key});
  }
  context.out << (entries.empty() ? "no entries in " + cache.root().string() + "\n"
                                  : aligned(rows));
  if (!entries.empty())
    context.out << fmt::format(
        "{} in {}{}\n", human_bytes(static_cast<double>(bytes)), cache.root().string(),
        limit == 0 ? std::string(", which TILEWRIGHT_CACHE=off leaves unused")
                   : ", of at most " + human_bytes(static_cast<double>(limit)));
  return success;
}

int cache_path(const Context& context, const Arguments& arguments) {
  const std::string path = runtime::environment::cache_directory().string();
  if (arguments.flag("--json")) {
    context.out << json_text({{"path", path}});
  } else {
    context.out << path << "\n";
  }
  return success;
}

int cache_clear(const Context& context, const Arguments& arguments) {
  const std::size_t removed = cache_on_disk().clear();
  if (arguments.flag("--json")) {
    context.out << json_text({{"removed", removed}});
  } else {
    context.out << "removed " << removed << (removed == 1 ? " file\n" : " files\n");
  }
  return success;
}

}  // namespace tilewright::command
