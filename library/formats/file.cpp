// See file.hpp. POSIX calls rather than streams: only they tell a full disk from success
// (write, fsync and close may each be the one that reports it).
#include "formats/file.hpp"
#include "formats/errors.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <tilewright/error.hpp>

namespace tilewright::formats {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& action, int code) {
  throw Error(errors::formats["file-not-written"],
              "cannot " + action + " " + path.string() + ": " + std::strerror(code),
              {"output", path.string(), "a path in an existing, writable folder", ""});
}

/// Everything into `descriptor`, or errno.
int write_all(int descriptor, std::span<const std::span<const std::byte>> parts) {
  for (auto part : parts) {
    while (!part.empty()) {
      const ssize_t count = ::write(descriptor, part.data(), part.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return errno;
      part = part.subspan(static_cast<std::size_t>(count));
    }
  }
  return 0;
}

/// Renaming over /dev/null or a pipe would replace the device itself.
bool is_device(const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

void write_device(const fs::path& path, std::span<const std::span<const std::byte>> parts) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) fail(path, "open", errno);
  int code = write_all(descriptor, parts);
  if (::close(descriptor) != 0 && code == 0) code = errno;
  if (code != 0) fail(path, "write", code);
}

}  // namespace

void write_file(const fs::path& requested, std::span<const std::span<const std::byte>> parts) {
  if (is_device(requested)) return write_device(requested, parts);
  require_writable_target(requested);
  std::error_code no_such_file;
  const fs::path resolved = fs::canonical(requested, no_such_file);
  const fs::path path = no_such_file ? requested : resolved;

  static std::atomic<unsigned> serial{0};
  const fs::path temporary =
      path.parent_path() /
      fmt::format(".{}.part-{}-{}", path.filename().string(), ::getpid(), serial++);
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) fail(path, "write", errno);
  int code = write_all(descriptor, parts);
  if (code == 0 && ::fsync(descriptor) != 0 && errno != EINVAL) code = errno;
  if (::close(descriptor) != 0 && code == 0) code = errno;
  if (code == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) code = errno;
  if (code != 0) {
    ::unlink(temporary.c_str());
    fail(path, "write", code);
  }
}

void write_file(const fs::path& path, std::string_view text) {
  const std::array parts{bytes_of(text)};
  write_file(path, parts);
}

void require_writable_target(const fs::path& path) {
  if (path.empty()) fail(path, "write to an empty path", ENOENT);
  if (is_device(path)) return;
  std::error_code code;
  if (fs::is_directory(path, code)) fail(path, "write", EISDIR);
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) fail(path, "write", errno);
  if (!S_ISDIR(status.st_mode)) fail(path, "write", ENOTDIR);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) fail(path, "write", errno);
}

std::string read_text(std::istream& stream, std::uint64_t limit) {
  std::string text;
  std::array<char, 4096> piece{};
  while (text.size() <= limit) {
    stream.read(piece.data(), piece.size());
    if (stream.gcount() == 0) break;
    text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
  }
  return text;
}

std::string read_text(const fs::path& path, std::string_view argument, std::uint64_t limit) {
  const Error::Detail detail{std::string(argument), path.string(),
                             "a readable text file of at most " + std::to_string(limit) + " bytes",
                             ""};
  std::error_code code;
  if (!fs::is_regular_file(path, code)) {
    throw Error(errors::formats["file-not-readable"], "there is no such regular file", detail);
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream)
    throw Error(errors::formats["file-not-readable"], "the file cannot be opened", detail);
  std::string text = read_text(stream, limit);
  if (stream.bad())
    throw Error(errors::formats["file-not-readable"], "the file cannot be read", detail);
  if (text.size() > limit)
    throw Error(errors::formats["file-too-long"], "the file is too long", detail);
  return text;
}

}  // namespace tilewright::formats
