// What the cache keeps when it may not keep everything: the entries used last, by stamps that a hit
// renews at most once an hour; and what a hit does not do.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <fstream>

#include "runtime/cache.hpp"
#include "runtime/cache_folder.hpp"
#include "runtime/digest.hpp"
#include "runtime/surroundings.hpp"

using namespace tilewright;
using namespace tilewright::runtime;
using test::TemporaryFolder;
namespace fs = std::filesystem;
using std::chrono::hours;

namespace {

const EntryLabel label{"kernel", "sm_80", ImageKind::ptx};
constexpr std::size_t image_bytes = 10000;

std::string key_of(int number) { return Digest().add(std::to_string(number)).hex(); }

/// Asks for a key; whether it was there.
bool ask(const Cache& cache, int number, std::size_t bytes = image_bytes) {
  const auto image = cache.obtain(key_of(number), label, [&] {
    CompiledImage made;
    made.bytes.assign(bytes, static_cast<char>(number));
    made.kind = ImageKind::ptx;
    made.architecture = "sm_80";
    return made;
  });
  CHECK(image.bytes == std::string(bytes, static_cast<char>(number)));
  return image.from_cache;
}

bool kept(const Cache& cache, int number) {
  return fs::exists(entry_path(cache.root(), key_of(number)));
}

void stamp(const Cache& cache, int number, hours ago) {
  fs::last_write_time(entry_path(cache.root(), key_of(number)),
                      fs::file_time_type::clock::now() - ago);
}

hours age(const Cache& cache, int number) {
  const auto written = fs::last_write_time(entry_path(cache.root(), key_of(number)));
  return std::chrono::duration_cast<hours>(fs::file_time_type::clock::now() - written);
}

std::uintmax_t kept_bytes(const Cache& cache) {
  std::uintmax_t sum = 0;
  for (const CacheEntry& entry : cache.list()) sum += entry.bytes;
  return sum;
}

}  // namespace

TEST_CASE("above the limit the entries go that were not used for longest") {
  TemporaryFolder folder;
  const Cache cache(folder.path(), {.limit = 5 * (image_bytes + 300)});
  for (int i = 0; i < 5; ++i) {
    CHECK_FALSE(ask(cache, i));
    stamp(cache, i, hours(50 - i));
  }
  CHECK(ask(cache, 0));  // the first to go is used again
  CHECK_FALSE(ask(cache, 5));
  CHECK(kept(cache, 0));
  CHECK_FALSE(kept(cache, 1));
  CHECK_FALSE(ask(cache, 6));
  CHECK_FALSE(kept(cache, 2));
  for (const int number : {0, 3, 4, 5, 6}) CHECK(kept(cache, number));
  for (int i = 100; i < 140; ++i) {
    CHECK_FALSE(ask(cache, i));
    CHECK(kept(cache, i));
    CHECK(kept_bytes(cache) <= 5 * (image_bytes + 300));
  }
  CHECK(cache.list().size() == 5);
}

TEST_CASE("a hit renews a stamp that is an hour old or of another clock, and no other") {
  TemporaryFolder folder;
  const Cache cache(folder.path());
  ask(cache, 0);
  for (const int ago : {2, 1000, -48}) {
    CAPTURE(ago);
    stamp(cache, 0, hours(ago));
    CHECK(ask(cache, 0));
    CHECK(age(cache, 0) == hours(0));
  }
  const auto recent = fs::file_time_type::clock::now() - std::chrono::minutes(50);
  fs::last_write_time(entry_path(cache.root(), key_of(0)), recent);
  CHECK(ask(cache, 0));
  CHECK(fs::last_write_time(entry_path(cache.root(), key_of(0))) == recent);
}

TEST_CASE("entries stamped by a clock that ran ahead go first, unless they are used") {
  TemporaryFolder folder;
  const Cache cache(folder.path(), {.limit = 3 * (image_bytes + 300)});
  for (int i = 0; i < 3; ++i) ask(cache, i);
  stamp(cache, 0, hours(-24 * 400));
  stamp(cache, 1, hours(-24 * 400));
  stamp(cache, 2, hours(24 * 400));
  CHECK(ask(cache, 0));
  ask(cache, 3);
  CHECK(kept(cache, 0));
  CHECK_FALSE(kept(cache, 1));
  CHECK(kept(cache, 2));
}

TEST_CASE("an image above the whole limit is not kept, and pushes nothing out") {
  TemporaryFolder folder;
  const Cache cache(folder.path(), {.limit = 2 * (image_bytes + 300)});
  ask(cache, 0);
  CHECK_FALSE(ask(cache, 1, 3 * image_bytes));
  CHECK_FALSE(ask(cache, 1, 3 * image_bytes));
  CHECK(kept(cache, 0));
  CHECK_FALSE(kept(cache, 1));
}

TEST_CASE("damaged entries and other versions' count, and go like all others") {
  TemporaryFolder folder;
  const Cache cache(folder.path(), {.limit = 3 * (image_bytes + 300)});
  ask(cache, 0);
  const auto foreign = entry_path(cache.root(), key_of(77));
  fs::create_directories(foreign.parent_path());
  std::ofstream(foreign) << "TWIMAGE9" << std::string(2 * image_bytes, 'x');
  fs::last_write_time(foreign, fs::file_time_type::clock::now() - hours(3));
  ask(cache, 1);
  ask(cache, 2);
  CHECK_FALSE(fs::exists(foreign));
  for (const int number : {0, 1, 2}) CHECK(kept(cache, number));
}

TEST_CASE("temporary files go once they are an hour old") {
  TemporaryFolder folder;
  const Cache cache(folder.path());
  ask(cache, 0);
  const auto beside = entry_path(cache.root(), key_of(0)).parent_path();
  const auto put = [&](const fs::path& file, hours ago) {
    std::ofstream(file) << "cut off";
    fs::last_write_time(file, fs::file_time_type::clock::now() - ago);
    return file;
  };
  const auto young = put(beside / ".tmp-1", hours(0)), old = put(beside / ".tmp-2", hours(2)),
             future = put(folder.path() / ".tmp-3", hours(-2)),
             other = put(beside / "mine.txt", hours(200));
  ask(cache, 1);
  CHECK(fs::exists(young));
  CHECK_FALSE(fs::exists(old));
  CHECK_FALSE(fs::exists(future));
  CHECK(fs::exists(other));
}

TEST_CASE("one trims at a time; where locks do not work all do") {
  TemporaryFolder folder;
  const Cache cache(folder.path(), {.limit = 2 * (image_bytes + 300)});
  ask(cache, 0);
  const auto path = folder.path() / "locks" / "trim.lock";
  const int held = ::open(path.c_str(), O_RDWR | O_CREAT, 0644);
  REQUIRE(::flock(held, LOCK_EX) == 0);
  for (const int number : {1, 2, 3}) ask(cache, number);
  CHECK(cache.list().size() == 4);
  ::close(held);
  ask(cache, 4);
  CHECK(cache.list().size() == 2);

  fs::remove(path);
  fs::create_directory(path);
  ask(cache, 5);
  CHECK(cache.list().size() == 2);
}

TEST_CASE("a hit walks no folder") {
  TemporaryFolder folder;
  const Cache cache(folder.path());
  ask(cache, 0);
  const int watch = ::inotify_init1(IN_NONBLOCK);
  REQUIRE(watch >= 0);
  for (const fs::path& place : {folder.path(), folder.path() / "images", folder.path() / "locks",
                                entry_path(cache.root(), key_of(0)).parent_path()})
    REQUIRE(::inotify_add_watch(watch, place.c_str(), IN_OPEN | IN_CREATE | IN_DELETE) >= 0);
  const auto events = [&] {
    std::pair<int, int> files_and_folders;
    alignas(inotify_event) char block[4096];
    for (ssize_t got; (got = ::read(watch, block, sizeof block)) > 0;)
      for (ssize_t at = 0; at < got;) {
        const auto* event = reinterpret_cast<const inotify_event*>(block + at);
        ++(event->mask & IN_ISDIR ? files_and_folders.second : files_and_folders.first);
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    return files_and_folders;
  };
  CHECK(ask(cache, 0));
  CHECK(events() == std::pair(1, 0));  // the entry itself, and not even a lock
  ask(cache, 1);
  CHECK(events().second > 0);  // a write does: the watch sees it
  ::close(watch);
}
