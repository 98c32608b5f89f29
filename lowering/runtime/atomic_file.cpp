// POSIX file calls, because a stream hides which of open, write and close failed.
#include "runtime/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace tilewright::runtime {
namespace {

std::string reason(const std::filesystem::path& path) {
  return path.string() + ": " + std::strerror(errno);
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::optional<std::string> write_atomically(const std::filesystem::path& path,
                                            std::string_view bytes) {
  static std::atomic<unsigned> serial{0};
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (error) return path.parent_path().string() + ": " + error.message();

  const auto temporary =
      path.parent_path() /
      (std::string(temporary_prefix) + std::to_string(getpid()) + "-" + std::to_string(serial++));
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return reason(temporary);
  const bool written = write_all(file, bytes);
  std::optional<std::string> failure;
  if (!written) failure = reason(path);
  // Some file systems report a full disk only here.
  if (::close(file) != 0 && !failure) failure = reason(path);
  if (!failure && ::rename(temporary.c_str(), path.c_str()) != 0) failure = reason(path);
  if (failure) ::unlink(temporary.c_str());
  return failure;
}

std::optional<std::string> read_file(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  std::string bytes;
  char block[1 << 16];
  ssize_t count;
  while ((count = ::read(file, block, sizeof block)) != 0) {
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    bytes.append(block, static_cast<std::size_t>(count));
  }
  ::close(file);
  if (count < 0) return std::nullopt;
  return bytes;
}

}  // namespace tilewright::runtime
