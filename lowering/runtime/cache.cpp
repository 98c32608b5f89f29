// Lookup, then one compile for everybody who asked meanwhile: threads share a future, processes
// queue at a file lock and look again once they hold it.
// Lock files are 256 for the whole cache (by the key's first byte), so that they never pile up.
#include "runtime/cache.hpp"

#include <algorithm>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <tilewright/error.hpp>
#include <utility>

#include "runtime/atomic_file.hpp"
#include "runtime/environment.hpp"
#include "runtime/file_lock.hpp"
#include "runtime/log.hpp"

namespace tilewright::runtime {
namespace {

constexpr const char* suffix = ".image";

std::optional<CompiledImage> load(const std::filesystem::path& path, const std::string& key,
                                  const EntryLabel& label) {
  const auto bytes = read_file(path);
  if (!bytes) return std::nullopt;
  auto image = decode_entry(*bytes, key, label);
  if (!image) log_info("cache entry " + path.string() + " is damaged: compiling again");
  return image;
}

/// Compiles that are under way in this process, by entry file (the key alone when the cache is
/// off).
class InFlight {
 public:
  using Future = std::shared_future<CompiledImage>;

  /// The future of a compile that is under way, or nothing, in which case the caller has to do it
  /// and to settle `promise`.
  std::optional<Future> join(const std::string& id, std::promise<CompiledImage>& promise) {
    std::lock_guard lock(mutex_);
    const auto found = running_.find(id);
    if (found != running_.end()) return found->second;
    running_.emplace(id, promise.get_future().share());
    return std::nullopt;
  }

  void leave(const std::string& id) {
    std::lock_guard lock(mutex_);
    running_.erase(id);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Future> running_;
};

InFlight& in_flight() {
  static auto* shared = new InFlight;
  return *shared;
}

bool is_temporary(const std::filesystem::path& path) {
  return path.filename().string().rfind(temporary_prefix, 0) == 0;
}

/// Files one level below `root`/images, and those of `root` itself that have the temporary prefix.
std::vector<std::filesystem::path> files_of(const std::filesystem::path& root) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& item : std::filesystem::directory_iterator(root, error))
    if (is_temporary(item.path())) files.push_back(item.path());
  for (const auto& folder : std::filesystem::directory_iterator(root / "images", error)) {
    std::error_code inner;
    for (const auto& item : std::filesystem::directory_iterator(folder.path(), inner))
      if (item.path().extension() == suffix || is_temporary(item.path()))
        files.push_back(item.path());
  }
  return files;
}

}  // namespace

Cache Cache::from_environment() {
  if (!environment::cache_enabled()) return Cache({});
  auto root = environment::cache_directory();
  if (root.empty())
    warn_once("no-home",
              "no home directory: compiled kernels are not kept. Set TILEWRIGHT_CACHE_DIR");
  return Cache(std::move(root));
}

Cache::Cache(std::filesystem::path root, std::chrono::milliseconds lock_limit)
    : root_(std::move(root)), lock_limit_(lock_limit) {}

std::filesystem::path Cache::entry_path(const std::string& key) const {
  return root_ / "images" / key.substr(0, 2) / (key + suffix);
}

CompiledImage Cache::obtain(const std::string& key, const EntryLabel& label,
                            const std::function<CompiledImage()>& compile) const {
  if (enabled())
    if (auto image = load(entry_path(key), key, label)) return *std::move(image);

  const std::string id = enabled() ? entry_path(key).string() : key;
  std::promise<CompiledImage> promise;
  if (const auto running = in_flight().join(id, promise)) return running->get();
  try {
    CompiledImage image = compile_and_keep(key, label, compile);
    promise.set_value(image);
    in_flight().leave(id);
    return image;
  } catch (...) {
    promise.set_exception(std::current_exception());
    in_flight().leave(id);
    throw;
  }
}

CompiledImage Cache::compile_and_keep(const std::string& key, const EntryLabel& label,
                                      const std::function<CompiledImage()>& compile) const {
  std::optional<FileLock> lock;
  if (enabled()) {
    lock.emplace(root_ / "locks" / (key.substr(0, 2) + ".lock"), lock_limit_);
    // Another process, or a thread of this one, may have finished since the first look.
    if (auto image = load(entry_path(key), key, label)) return *std::move(image);
  }
  CompiledImage image = compile();
  image.key = key;
  if (enabled())
    if (const auto failure = write_atomically(entry_path(key), encode_entry(key, label, image)))
      warn_once("cache:" + root_.string(),
                "the cache cannot be written, so kernels are compiled again each time (" +
                    *failure + "). Set TILEWRIGHT_CACHE_DIR, or TILEWRIGHT_CACHE=off");
  return image;
}

std::vector<CacheEntry> Cache::list() const {
  std::vector<CacheEntry> entries;
  if (!enabled()) return entries;
  const auto now = std::filesystem::file_time_type::clock::now();
  for (const auto& file : files_of(root_)) {
    if (is_temporary(file)) continue;
    auto label = read_label(file);
    std::error_code error;
    const auto bytes = std::filesystem::file_size(file, error);
    if (!label || error) continue;
    const auto written = std::filesystem::last_write_time(file, error);
    if (error) continue;
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - written);
    entries.push_back({file, file.stem().string(), *std::move(label), bytes,
                       std::max(age, std::chrono::seconds{0})});
  }
  std::sort(entries.begin(), entries.end(), [](const CacheEntry& a, const CacheEntry& b) {
    return std::pair(a.age, a.key) < std::pair(b.age, b.key);
  });
  return entries;
}

std::size_t Cache::clear() const {
  if (!enabled()) return 0;
  std::size_t removed = 0;
  for (const auto& file : files_of(root_)) {
    std::error_code error;
    removed += std::filesystem::remove(file, error);
    if (error)
      throw Error(ErrorKind::io, "cannot remove a cache entry: " + error.message(),
                  {"cache", file.string(), "", ""});
  }
  return removed;
}

}  // namespace tilewright::runtime
