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
#include "runtime/cache_folder.hpp"
#include "runtime/errors.hpp"
#include "runtime/file_lock.hpp"
#include "runtime/log.hpp"

namespace tilewright::runtime {
namespace {

std::optional<CompiledImage> load(const std::filesystem::path& path, const std::string& key,
                                  const EntryLabel& label) {
  const auto bytes = read_file(path, largest_entry);
  if (!bytes) return std::nullopt;
  auto image = decode_entry(*bytes, key, label);
  if (image)
    note_use(path);
  else
    log_info("cache entry " + path.string() + " is damaged: compiling again");
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

}  // namespace

Cache Cache::from_environment() {
  const std::uint64_t limit = environment::cache_limit();
  if (limit == 0) return Cache({});
  auto root = environment::cache_directory();
  if (root.empty())
    warn_once("no-home",
              "no home directory: compiled kernels are not kept. Set TILEWRIGHT_CACHE_DIR");
  return Cache(std::move(root), {.limit = limit});
}

Cache::Cache(std::filesystem::path root, CacheOptions options)
    : root_(std::move(root)), options_(options) {}

CompiledImage Cache::obtain(const std::string& key, const EntryLabel& label,
                            const std::function<CompiledImage()>& compile) const {
  if (enabled())
    if (auto image = load(entry_path(root_, key), key, label)) return *std::move(image);

  const std::string id = enabled() ? entry_path(root_, key).string() : key;
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
    lock.emplace(root_ / "locks" / (key.substr(0, 2) + ".lock"), options_.lock_wait);
    // Another process, or a thread of this one, may have finished since the first look.
    if (auto image = load(entry_path(root_, key), key, label)) return *std::move(image);
  }
  CompiledImage image = compile();
  image.key = key;
  image.kept = enabled() && keep(key, label, image);
  return image;
}

bool Cache::keep(const std::string& key, const EntryLabel& label,
                 const CompiledImage& image) const {
  const std::string bytes = encode_entry(key, label, image);
  if (bytes.size() > std::min(options_.limit, largest_entry)) {
    log_info("larger than the whole cache and not kept: " + label.kernel);
    return false;
  }
  if (const auto failure = write_atomically(entry_path(root_, key), bytes)) {
    warn_once("cache:" + root_.string(),
              "the cache cannot be written, so kernels are compiled again each time (" + *failure +
                  "). Set TILEWRIGHT_CACHE_DIR, or TILEWRIGHT_CACHE=off");
    return false;
  }
  trim(root_, options_.limit, entry_path(root_, key));
  return true;
}

std::vector<CacheEntry> Cache::list() const {
  std::vector<CacheEntry> entries;
  if (!enabled()) return entries;
  for (const CacheFile& file : cache_files(root_)) {
    if (file.temporary) continue;
    auto label = read_label(file.path);
    if (!label) continue;
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(file.age);
    entries.push_back({file.path, file.path.stem().string(), *std::move(label), file.bytes,
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
  for (const CacheFile& file : cache_files(root_)) {
    std::error_code error;
    removed += std::filesystem::remove(file.path, error);
    if (error)
      throw Error(errors::runtime["cache-entry-not-removed"],
                  "cannot remove a cache entry: " + error.message(),
                  {"cache", file.path.string(), "", ""});
  }
  return removed;
}

}  // namespace tilewright::runtime
