// Polls flock: there is no portable wait with a limit, and a poll of some milliseconds is nothing
// beside a compile.
#include "runtime/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

namespace tilewright::runtime {

FileLock::FileLock(const std::filesystem::path& path, std::chrono::milliseconds limit) {
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0) return;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  std::chrono::milliseconds pause{1};
  for (;;) {
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0) {
      held_ = true;
      return;
    }
    // Some network file systems have no flock at all: then there is nothing to wait for.
    if (errno != EWOULDBLOCK && errno != EINTR) return;
    if (std::chrono::steady_clock::now() >= deadline) {
      busy_ = true;
      return;
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds{50});
  }
}

FileLock::~FileLock() {
  if (file_ >= 0) ::close(file_);  // releases the lock
}

}  // namespace tilewright::runtime
