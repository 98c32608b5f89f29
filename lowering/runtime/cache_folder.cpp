// Walking, stamping, trimming. A stamp more than an hour in the future comes from a clock that was
// wrong, so it says nothing: such a file counts as unused, and the first hit stamps it anew.
#include "runtime/cache_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>

#include "runtime/atomic_file.hpp"
#include "runtime/file_lock.hpp"

namespace tilewright::runtime {
namespace {

namespace fs = std::filesystem;
using std::chrono::nanoseconds;

constexpr const char* suffix = ".image";
constexpr nanoseconds hour = std::chrono::hours(1);

timespec clock_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

/// Within a century either way: a stamp may be anything.
nanoseconds age_of(const struct stat& state, const timespec& now) {
  constexpr std::int64_t century = std::int64_t{100} * 365 * 24 * 3600;
  const std::int64_t whole =
      std::clamp<std::int64_t>(now.tv_sec - state.st_mtim.tv_sec, -century, century);
  return std::chrono::seconds(whole) + nanoseconds(now.tv_nsec - state.st_mtim.tv_nsec);
}

bool stale(nanoseconds age) { return age > hour || age < -hour; }

bool is_temporary(const fs::path& path) {
  return path.filename().string().rfind(temporary_prefix, 0) == 0;
}

/// Calls `visit` with every path in `folder`. Errors end the walk: the rest is seen next time.
template <typename Visit>
void walk(const fs::path& folder, const Visit& visit) {
  std::error_code error;
  for (fs::directory_iterator item(folder, error), end; !error && item != end;
       item.increment(error))
    visit(item->path());
}

void add_file(std::vector<CacheFile>& files, const fs::path& path, const timespec& now) {
  struct stat state {};
  if (::lstat(path.c_str(), &state) != 0 || S_ISDIR(state.st_mode)) return;
  files.push_back(
      {path, static_cast<std::uint64_t>(state.st_size), age_of(state, now), is_temporary(path)});
}

}  // namespace

fs::path entry_path(const fs::path& root, const std::string& key) {
  return root / "images" / key.substr(0, 2) / (key + suffix);
}

std::vector<CacheFile> cache_files(const fs::path& root) {
  std::vector<CacheFile> files;
  const timespec now = clock_now();  // one for all: ages are compared
  walk(root, [&](const fs::path& path) {
    if (is_temporary(path)) add_file(files, path, now);
  });
  walk(root / "images", [&](const fs::path& folder) {
    walk(folder, [&](const fs::path& path) {
      if (path.extension() == suffix || is_temporary(path)) add_file(files, path, now);
    });
  });
  return files;
}

void note_use(const fs::path& entry) {
  struct stat state {};
  if (::stat(entry.c_str(), &state) == 0 && stale(age_of(state, clock_now())))
    (void)::utimensat(AT_FDCWD, entry.c_str(), nullptr, 0);
}

std::size_t trim(const fs::path& root, std::uint64_t limit, const fs::path& newest) {
  // Two that trim at once would both remove what one has to; the next write trims again.
  const FileLock lock(root / "locks" / "trim.lock", std::chrono::milliseconds(0));
  if (lock.busy()) return 0;

  std::vector<CacheFile> files = cache_files(root);
  std::uint64_t all = 0;
  bool left_over = false;
  for (CacheFile& file : files) {
    const bool old = stale(file.age);
    if (file.temporary)
      left_over |= old;
    else
      all += file.bytes;
    if (file.age < -hour) file.age = nanoseconds::max();
    // Stamps are as coarse as the system's clock ticks: others may have the newest one's.
    if (file.path == newest) file.age = nanoseconds::min();
  }
  if (all <= limit && !left_over) return 0;

  std::sort(files.begin(), files.end(), [](const CacheFile& a, const CacheFile& b) {
    return a.age != b.age ? a.age < b.age : a.path < b.path;
  });
  std::uint64_t kept = 0;
  std::size_t removed = 0;
  for (const CacheFile& file : files) {
    if (!file.temporary) kept += file.bytes;
    const bool stays = file.temporary ? !stale(file.age) : kept <= limit;
    std::error_code error;
    if (!stays) removed += fs::remove(file.path, error);
  }
  return removed;
}

}  // namespace tilewright::runtime
