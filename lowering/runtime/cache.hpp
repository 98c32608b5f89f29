// The disk cache of compiled images.
// The one idea: an entry is found by its key alone or not at all; everything that can go wrong on a
// disk (unwritable, full, damaged, two processes at once) costs a compile, never an answer.
// Next: entry_file.hpp for the format, cache_folder.hpp for the limit, compile.cpp for the key.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "runtime/entry_file.hpp"
#include "runtime/environment.hpp"
#include "runtime/image.hpp"

namespace tilewright::runtime {

/// One line of `tilewright cache ls`.
struct CacheEntry {
  std::filesystem::path file;
  std::string key;
  EntryLabel label;
  std::uintmax_t bytes = 0;
  std::chrono::seconds age{0};  ///< since it was last used, to within an hour
};

struct CacheOptions {
  /// Entries that were not used for longest go when a new one makes the sum of all sizes larger. An
  /// image that is larger alone is not kept.
  std::uint64_t limit = environment::default_cache_bytes;
  /// How long to wait for another process that compiles the same kernel.
  std::chrono::milliseconds lock_wait = std::chrono::seconds(60);
};

class Cache {
 public:
  /// The folder and the limit of the environment.
  static Cache from_environment();

  /// A cache in `root`; an empty path is a cache that is off.
  explicit Cache(std::filesystem::path root, CacheOptions options = {});

  bool enabled() const { return !root_.empty(); }
  const std::filesystem::path& root() const { return root_; }

  /// The image under `key`, else `compile()`'s, which is then kept. One key is compiled once at a
  /// time per process (other threads wait for it and get its result or its error), and once across
  /// processes as long as the file lock is had within its wait. Throws only what `compile` throws.
  /// A hit reads one file and walks no folder.
  CompiledImage obtain(const std::string& key, const EntryLabel& label,
                       const std::function<CompiledImage()>& compile) const;

  /// Whole entries, the last used first. Files that are none are left out.
  std::vector<CacheEntry> list() const;

  /// Removes entries, damaged ones and left-over temporary files; nothing else in the folder is
  /// touched. Returns how many files went. Throws Error{io} when one cannot be removed.
  std::size_t clear() const;

 private:
  CompiledImage compile_and_keep(const std::string& key, const EntryLabel& label,
                                 const std::function<CompiledImage()>& compile) const;

  bool keep(const std::string& key, const EntryLabel& label, const CompiledImage& image) const;

  std::filesystem::path root_;
  CacheOptions options_;
};

}  // namespace tilewright::runtime
