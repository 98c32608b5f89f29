// Processes that share one cache: forked, each with its own standard error, whose images can be
// foretold from the key, so that a wrong one is seen at once.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <thread>

#include "runtime/atomic_file.hpp"
#include "runtime/cache.hpp"
#include "runtime/digest.hpp"
#include "runtime/surroundings.hpp"

namespace tilewright::test {

inline const runtime::EntryLabel attack_label{"kernel", "sm_90a", runtime::ImageKind::cubin};

inline std::string attack_key(int number) {
  return runtime::Digest().add("attack").add(std::to_string(number)).hex();
}

/// 20 to 100 KB that no other key has.
inline std::string attack_bytes(const std::string& key) {
  std::mt19937_64 random(std::hash<std::string>{}(key));
  std::string bytes(20000 + random() % 80000, '\0');
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    const std::uint64_t word = random();
    bytes.replace(at, 8, reinterpret_cast<const char*>(&word), 8);
  }
  return bytes;
}

inline runtime::CompiledImage attack_image(const std::string& key) {
  runtime::CompiledImage image;
  image.bytes = attack_bytes(key);
  image.log = "note of " + key;
  image.architecture = attack_label.architecture;
  image.kind = attack_label.kind;
  return image;
}

/// Everything a caller sees of the image is what `key` is compiled to.
inline bool is_right(const runtime::CompiledImage& image, const std::string& key) {
  return image.bytes == attack_bytes(key) && image.log == "note of " + key && image.key == key &&
         image.architecture == attack_label.architecture && image.kind == attack_label.kind;
}

/// A child that runs `work` and exits with its answer (99: it threw).
class Process {
 public:
  Process(const std::filesystem::path& standard_error, const std::function<int()>& work)
      : standard_error_(standard_error) {
    id_ = ::fork();
    REQUIRE(id_ >= 0);
    if (id_ != 0) return;
    const int file = ::open(standard_error.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(file, STDERR_FILENO);
    int status = 99;
    try {
      status = work();
    } catch (...) {}
    ::_exit(status);
  }

  void kill() {
    if (!ended_) ::kill(id_, SIGKILL);
    killed_ = true;
  }

  /// Whether it has ended; `wait` in any case.
  bool ended() {
    if (!ended_ && ::waitpid(id_, &status_, WNOHANG) == id_) ended_ = true;
    return ended_;
  }
  void wait() {
    if (!ended_) ::waitpid(id_, &status_, 0);
    ended_ = true;
  }

  bool killed() const { return ended_ && killed_ && WIFSIGNALED(status_); }
  /// The answer of `work`, or minus the signal that ended the process.
  int answer() const { return WIFSIGNALED(status_) ? -WTERMSIG(status_) : WEXITSTATUS(status_); }

  /// Everything it said. It must be warnings of the cache; how many there were.
  int warnings() const {
    std::istringstream said(runtime::read_file(standard_error_).value_or(""));
    int count = 0;
    for (std::string line; std::getline(said, line); ++count) {
      CAPTURE(line);
      CHECK(line.rfind("tilewright warning: the cache cannot be written", 0) == 0);
    }
    return count;
  }

 private:
  std::filesystem::path standard_error_;
  pid_t id_ = -1;
  int status_ = 0;
  bool ended_ = false, killed_ = false;
};

inline int temporaries_in(const std::filesystem::path& root) {
  int count = 0;
  std::error_code error;
  for (auto item = std::filesystem::recursive_directory_iterator(root, error);
       item != std::filesystem::recursive_directory_iterator(); item.increment(error))
    count += item->path().filename().string().rfind(runtime::temporary_prefix, 0) == 0;
  return count;
}

}  // namespace tilewright::test
