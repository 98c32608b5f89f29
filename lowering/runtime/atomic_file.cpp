// POSIX file calls, because a stream hides which of open, write and close failed.
#include "runtime/atomic_file.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace tilewright::runtime {
namespace {

std::string reason(const std::filesystem::path& path) {
  return path.string() + ": " + std::strerror(errno);
}

/// Past a limit on the size of files, write() raises SIGXFSZ, which ends a process that does not
/// expect it. While this lives the signal stays pending for this thread, and is taken away after.
class FileSizeSignal {
 public:
  FileSizeSignal() {
    sigemptyset(&signal_);
    sigaddset(&signal_, SIGXFSZ);
    blocked_ = pthread_sigmask(SIG_BLOCK, &signal_, &before_) == 0;
  }
  ~FileSizeSignal() {
    if (!blocked_) return;
    const int error = errno;
    const timespec at_once{};
    if (sigismember(&before_, SIGXFSZ) == 0)
      while (sigtimedwait(&signal_, nullptr, &at_once) < 0 && errno == EINTR) {}
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }
  FileSizeSignal(const FileSizeSignal&) = delete;
  FileSizeSignal& operator=(const FileSizeSignal&) = delete;

 private:
  sigset_t signal_{}, before_{};
  bool blocked_ = false;
};

bool write_all(int file, std::string_view bytes) {
  const FileSizeSignal kept_back;
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// A name nobody else has: process numbers repeat between containers that share a folder.
std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number)
    number = static_cast<std::uint64_t>(
        std::chrono::steady_clock::now().time_since_epoch().count() ^ ::getpid());
  char name[32];
  std::snprintf(name, sizeof name, "%s%016llx", temporary_prefix.data(),
                static_cast<unsigned long long>(number));
  return path.parent_path() / name;
}

/// One attempt; errno tells why it failed.
std::optional<std::string> write_once(const std::filesystem::path& path, std::string_view bytes) {
  const auto temporary = temporary_beside(path);
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) return reason(temporary);
  std::optional<std::string> failure;
  if (!write_all(file, bytes)) failure = reason(path);
  // Some file systems report a full disk only here.
  if (::close(file) != 0 && !failure) failure = reason(path);
  if (!failure && ::rename(temporary.c_str(), path.c_str()) == 0) return std::nullopt;
  const int error = errno;
  if (!failure) failure = reason(path);
  ::unlink(temporary.c_str());
  errno = error;
  return failure;
}

}  // namespace

std::optional<std::string> write_atomically(const std::filesystem::path& path,
                                            std::string_view bytes) {
  std::optional<std::string> failure;
  // Where somebody clears the folder meanwhile, it or the temporary file is gone: once more.
  for (int attempt = 0; attempt < 4; ++attempt) {
    std::error_code error;
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
    if (error) {
      failure = path.parent_path().string() + ": " + error.message();
      if (error != std::errc::no_such_file_or_directory) return failure;
      continue;
    }
    failure = write_once(path, bytes);
    if (!failure || (errno != ENOENT && errno != EEXIST)) return failure;
  }
  return failure;
}

std::optional<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit) {
  // Without O_NONBLOCK, opening a pipe would wait for somebody to write into it.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return std::nullopt;
  struct stat state {};
  std::optional<std::string> bytes;
  if (::fstat(file, &state) == 0 && S_ISREG(state.st_mode) &&
      static_cast<std::uint64_t>(state.st_size) <= limit) {
    bytes.emplace(static_cast<std::size_t>(state.st_size), '\0');
    std::size_t have = 0;
    while (have < bytes->size()) {
      const ssize_t count = ::read(file, bytes->data() + have, bytes->size() - have);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) bytes.reset();
      if (count <= 0) break;
      have += static_cast<std::size_t>(count);
    }
    if (bytes) bytes->resize(have);
  }
  ::close(file);
  return bytes;
}

}  // namespace tilewright::runtime
