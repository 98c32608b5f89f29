// Folders that cannot be written, in every way a disk has: no folder, no permission, a limit on the
// size of files, a full disk, a read-only one. Each in a process of its own, which must be right
// every time and say one warning at most.
// Mounts need a right that not every machine gives. Where they fail, the disk that fills up is the
// limit on file sizes (a write that stops in the middle, as there), and the read-only folder is the
// one without permission.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fstream>

#include "cache_process.hpp"
#include "runtime/cache_folder.hpp"

using namespace tilewright;
using namespace tilewright::runtime;
using namespace tilewright::test;
namespace fs = std::filesystem;

namespace {

constexpr int wrong = 1, not_allowed = 42;

/// 0 when `keys` keys, each asked for twice, give the right images; `hits` counts cached ones.
int ask_twice(const Cache& cache, int keys, int& hits) {
  for (int i = 0; i < 2 * keys; ++i) {
    const std::string key = attack_key(i % keys);
    const auto image = cache.obtain(key, attack_label, [&] { return attack_image(key); });
    if (!is_right(image, key)) return wrong;
    hits += image.from_cache;
  }
  return 0;
}

int ask_twice(const fs::path& root, int keys = 8) {
  int hits = 0;
  return ask_twice(Cache(root), keys, hits);
}

struct Outcome {
  int answer, warnings;
};

Outcome in_process(const fs::path& folder, const std::function<int()>& work) {
  Process process(folder / "said", work);
  process.wait();
  return {process.answer(), process.warnings()};
}

/// Mounts of this process are its own; false where the machine does not let it have any.
bool own_mounts() {
  if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

}  // namespace

TEST_CASE("a file stands where the folder, its images, its locks or its record should be") {
  for (const char* in_the_way : {"", "images", "locks", "nvrtc-identities"}) {
    CAPTURE(in_the_way);
    TemporaryFolder folder;
    const fs::path root = folder.path() / "cache";
    if (*in_the_way) fs::create_directory(root);
    std::ofstream(*in_the_way ? root / in_the_way : root) << "in the way";
    const auto outcome = in_process(folder.path(), [&] { return ask_twice(root); });
    CHECK(outcome.answer == 0);
    const bool unwritable = !*in_the_way || std::string(in_the_way) == "images";
    CHECK(outcome.warnings == (unwritable ? 1 : 0));
  }
}

TEST_CASE("without permission to write, hits are hits and a miss warns once") {
  TemporaryFolder folder;
  const fs::path root = folder.path() / "cache";
  fs::permissions(folder.path(), fs::perms(0755));
  const std::string key = attack_key(0);
  Cache(root).obtain(key, attack_label, [&] { return attack_image(key); });
  // Old enough for the hit to want to stamp it.
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours(100);
  fs::last_write_time(entry_path(root, key), old);
  std::vector<fs::path> folders{root};
  for (const auto& item : fs::recursive_directory_iterator(root)) folders.push_back(item.path());
  for (const fs::path& path : folders)
    fs::permissions(path, fs::is_directory(path) ? fs::perms(0555) : fs::perms(0444));

  // As root every folder can be written: be nobody.
  const auto as_nobody = [&](const std::function<int()>& work) {
    return in_process(folder.path(), [&]() -> int {
      if (::getuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return not_allowed;
      return work();
    });
  };
  const auto hit = as_nobody([&] {
    const auto image = Cache(root).obtain(key, attack_label, [&] { return CompiledImage{}; });
    return is_right(image, key) && image.from_cache ? 0 : wrong;
  });
  REQUIRE(hit.answer != not_allowed);
  CHECK(hit.answer == 0);
  CHECK(hit.warnings == 0);
  const auto miss = as_nobody([&] { return ask_twice(root); });
  CHECK(miss.answer == 0);
  CHECK(miss.warnings == 1);
  for (const fs::path& path : folders) fs::permissions(path, fs::perms(0755));
  CHECK(temporaries_in(root) == 0);
}

TEST_CASE("a write that stops in the middle: one warning, nothing left behind, no signal") {
  TemporaryFolder folder;
  const fs::path root = folder.path() / "cache";
  const auto outcome = in_process(folder.path(), [&] {
    const rlimit limit{30000, 30000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return not_allowed;
    if (const int answer = ask_twice(root); answer != 0) return answer;
    // The signal's own meaning is untouched for the program's other files.
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    return sigismember(&blocked, SIGXFSZ) == 0 ? 0 : 2;
  });
  CHECK(outcome.answer == 0);
  CHECK(outcome.warnings == 1);
  CHECK(temporaries_in(root) == 0);
  for (const CacheEntry& entry : Cache(root).list()) CHECK(entry.bytes <= 30000);
}

TEST_CASE("a full disk, then a read-only one") {
  TemporaryFolder folder;
  const fs::path disk = folder.path() / "disk", root = disk / "cache";
  fs::create_directory(disk);
  const auto outcome = in_process(folder.path(), [&]() -> int {
    if (!own_mounts() || ::mount("none", disk.c_str(), "tmpfs", 0, "size=256k") != 0)
      return not_allowed;
    int hits = 0;
    if (ask_twice(Cache(root), 12, hits) != 0) return 1;
    if (hits == 0 || hits == 12) return 2;  // some fitted, some did not
    if (temporaries_in(root) != 0) return 3;
    // Room again, by the limit: the disk is not full for a cache that keeps less than it holds.
    int more = 0;
    if (ask_twice(Cache(root, {.limit = 120000}), 12, more) != 0) return 4;
    if (::mount("none", disk.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) return 5;
    return ask_twice(root, 12) == 0 ? 0 : 6;
  });
  if (outcome.answer == not_allowed)
    MESSAGE("this machine allows no mounts: the limit on file sizes stands for the full disk");
  else
    CHECK(outcome.answer == 0);
  CHECK(outcome.warnings <= 1);
}
