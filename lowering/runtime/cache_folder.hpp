// The cache's files on disk, and which of them go when there are too many.
// The one idea: a file's modification time says when it was last used (a hit sets it again, at most
// once an hour), so recency survives without an index that processes would have to agree on. Only
// a write, which stands beside a compile, ever walks the folder.
// Next: cache.cpp; tests/runtime/cache_limit_test.cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tilewright::runtime {

struct CacheFile {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  std::chrono::nanoseconds age{0};  ///< since it was last used; below 0: stamped in the future
  bool temporary = false;           ///< of a write that is under way, or whose process was killed
};

/// root/images/<first two digits>/<key>.image
std::filesystem::path entry_path(const std::filesystem::path& root, const std::string& key);

/// The entries below `root`, damaged ones included, and its temporary files, whatever they are
/// except folders. Files of other names are none of the cache's. What vanishes meanwhile is left
/// out; never throws.
std::vector<CacheFile> cache_files(const std::filesystem::path& root);

/// Stamps an entry as used now, unless it was within the hour. A stamp far in the future (the clock
/// went backwards since) is set right. A folder that cannot be written stays as it is.
void note_use(const std::filesystem::path& entry);

/// Removes entries, those unused for longest first and never `newest`, until at most `limit` bytes
/// of entries are left, and temporary files that are an hour old. Safe while others read, write and
/// trim: a reader keeps the file it opened, and who comes too late compiles again. Returns how many
/// files went.
std::size_t trim(const std::filesystem::path& root, std::uint64_t limit,
                 const std::filesystem::path& newest);

}  // namespace tilewright::runtime
