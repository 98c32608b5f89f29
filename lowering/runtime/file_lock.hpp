// A lock between processes, with a limit.
// The one idea: flock belongs to an open file, so the kernel releases it when its holder dies, and
// waiting is bounded: a stuck holder costs time, never a hang.
// Next: cache.cpp, which compiles anyway when the limit is over.
#pragma once

#include <chrono>
#include <filesystem>

namespace tilewright::runtime {

class FileLock {
 public:
  /// Tries to hold `path` (created if needed) exclusively for up to `limit`.
  FileLock(const std::filesystem::path& path, std::chrono::milliseconds limit);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  bool held() const { return held_; }
  /// Somebody else held it until the limit; not the same as a folder where locks do not work.
  bool busy() const { return busy_; }

 private:
  int file_ = -1;
  bool held_ = false;
  bool busy_ = false;
};

}  // namespace tilewright::runtime
