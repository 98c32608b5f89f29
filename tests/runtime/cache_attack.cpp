// 32 processes over one cache folder while some are killed and the folder is damaged under them:
// the answer is right every time, nobody says more than one warning, and what killed processes left
// is collected later. The processes compile with a stand-in; cache_attack_nvrtc.cpp does with
// NVRTC.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <list>
#include <tilewright/error.hpp>

#include "cache_process.hpp"
#include "runtime/cache_folder.hpp"

using namespace tilewright;
using namespace tilewright::runtime;
using namespace tilewright::test;
namespace fs = std::filesystem;

namespace {

constexpr int processes = 32, keys = 24;

/// Asks for keys at random; 1 as soon as one answer is wrong.
int ask(const fs::path& root, unsigned seed, int rounds, std::uint64_t limit) {
  const Cache cache(root, {.limit = limit, .lock_wait = std::chrono::seconds(5)});
  std::mt19937 random(seed);
  for (int round = 0; round < rounds; ++round) {
    const std::string key = attack_key(static_cast<int>(random() % keys));
    const auto image = cache.obtain(key, attack_label, [&] {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 2000));
      return attack_image(key);
    });
    if (!is_right(image, key)) return 1;
  }
  return 0;
}

/// One thing that may happen to a file or a folder, whatever the processes are doing.
class Attacker {
 public:
  Attacker(fs::path root, unsigned seed) : root_(std::move(root)), random_(seed) {}

  void strike() {
    auto files = cache_files(root_);
    std::erase_if(files, [](const CacheFile& file) { return file.temporary; });
    if (files.empty()) return;
    const fs::path file = files[random_() % files.size()].path;
    std::error_code error;
    switch (random_() % 14) {
      case 0: fs::resize_file(file, random_() % 20000, error); break;
      case 1: overwrite(file, random_() % 20000, "x"); break;
      case 2: overwrite(file, 0, "TWIMAGE0"); break;  // another version's
      case 3: fs::resize_file(file, 0, error); break;
      case 4: fs::resize_file(file, std::uintmax_t{1} << 40, error); break;  // sparse, and huge
      case 5: copy_onto(file, files[random_() % files.size()].path); break;
      case 6: instead(file, [&] { fs::create_directory(file, error); }); break;
      case 7: instead(file, [&] { fs::create_symlink(file, file, error); }); break;
      case 8: instead(file, [&] { fs::create_symlink("/dev/zero", file, error); }); break;
      case 9: instead(file, [&] { ::mkfifo(file.c_str(), 0644); }); break;
      case 10: stamp(file, std::chrono::hours(24 * 365)); break;
      case 11: stamp(file, -std::chrono::hours(24 * 365)); break;
      case 12: fs::remove_all(random_() % 4 == 0 ? root_ : file.parent_path(), error); break;
      case 13: try { Cache(root_).clear();
        } catch (const Error&) {  // a folder lies where an entry was
        }
        break;
    }
  }

 private:
  static void overwrite(const fs::path& file, std::size_t at, const char* bytes) {
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(static_cast<std::streamoff>(at));
    stream << bytes;
  }
  /// Another key's entry in whole; not the huge ones.
  static void copy_onto(const fs::path& file, const fs::path& other) {
    std::error_code error;
    if (fs::file_size(other, error) < 1 << 20 && !error)
      fs::copy_file(other, file, fs::copy_options::overwrite_existing, error);
  }
  static void instead(const fs::path& file, const std::function<void()>& make) {
    std::error_code error;
    fs::remove(file, error);
    make();
  }
  static void stamp(const fs::path& file, std::chrono::hours later) {
    std::error_code error;
    if (fs::is_regular_file(fs::symlink_status(file, error)))
      fs::last_write_time(file, fs::file_time_type::clock::now() + later, error);
  }

  fs::path root_;
  std::mt19937 random_;
};

void remove_folders_in_place_of_entries(const fs::path& root) {
  std::error_code error;
  for (int i = 0; i < keys; ++i)
    if (fs::is_directory(entry_path(root, attack_key(i)), error))
      fs::remove(entry_path(root, attack_key(i)), error);
}

}  // namespace

TEST_CASE("32 processes, killed and damaged at random: right answers, one warning at most") {
  TemporaryFolder folder;
  const fs::path root = folder.path() / "cache";
  std::mt19937 random(20261125);
  Attacker attacker(root, 7);
  std::list<Process> running, done;
  unsigned started = 0;
  int kills = 0;
  const auto start = [&] {
    // Half of them keep so little that somebody evicts all the time.
    const std::uint64_t limit = started % 2 == 0 ? 400000 : environment::default_cache_bytes;
    const unsigned seed = started++;
    running.emplace_back(folder.path() / ("said-" + std::to_string(seed)),
                         [=] { return ask(root, seed, 120, limit); });
  };
  while (started < processes) start();

  constexpr int most_kills = 100;
  while (!running.empty()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    attacker.strike();
    if (kills < most_kills) {
      auto victim = running.begin();
      std::advance(victim, static_cast<long>(random() % running.size()));
      if (!victim->ended()) {
        victim->kill();
        ++kills;
        start();
      }
    }
    for (auto process = running.begin(); process != running.end();) {
      const auto here = process++;
      if (here->ended()) done.splice(done.end(), running, here);
    }
  }
  CHECK(kills == most_kills);
  int killed = 0;
  for (const Process& process : done) {
    if (process.killed())
      ++killed;
    else
      CHECK(process.answer() == 0);
    CHECK(process.warnings() <= 1);
  }
  CHECK(killed > most_kills / 2);  // some end just before they are killed

  // A killed process left at most the one file it was writing; a write an hour later collects it.
  CHECK(temporaries_in(root) <= killed);
  remove_folders_in_place_of_entries(root);
  const Cache cache(root);
  cache.obtain(attack_key(0), attack_label, [] { return attack_image(attack_key(0)); });
  std::ofstream(entry_path(root, attack_key(0)).parent_path() / ".tmp-0123") << "cut off";
  for (const CacheFile& file : cache_files(root))
    if (file.temporary)
      fs::last_write_time(file.path, fs::file_time_type::clock::now() - std::chrono::hours(2));
  cache.obtain(attack_key(-1), attack_label, [] { return attack_image(attack_key(-1)); });
  CHECK(temporaries_in(root) == 0);

  // And the folder is in order again: what is damaged is mended by one compile.
  for (int i = 0; i < keys; ++i)
    for (const bool again : {false, true}) {
      const std::string key = attack_key(i);
      const auto image = cache.obtain(key, attack_label, [&] { return attack_image(key); });
      CHECK(is_right(image, key));
      if (again) CHECK(image.from_cache);
    }
}

TEST_CASE("32 processes at once compile each key once") {
  TemporaryFolder folder;
  const fs::path root = folder.path() / "cache", compiles = folder.path() / "compiles";
  for (const int different : {1, 5}) {
    fs::remove_all(root);
    const int count = ::open(compiles.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    int gate[2];
    REQUIRE(::pipe(gate) == 0);
    std::list<Process> all;
    for (int i = 0; i < processes; ++i)
      all.emplace_back(folder.path() / ("said-" + std::to_string(i)), [&, i] {
        char none = 0;
        ::close(gate[1]);
        (void)!::read(gate[0], &none, 1);  // until the parent closes the other end
        const std::string key = attack_key(i % different);
        const auto image = Cache(root).obtain(key, attack_label, [&] {
          (void)!::write(count, "x", 1);
          std::this_thread::sleep_for(std::chrono::milliseconds(50));
          return attack_image(key);
        });
        return is_right(image, key) ? 0 : 1;
      });
    ::close(gate[0]);
    ::close(gate[1]);
    for (Process& process : all) {
      process.wait();
      CHECK(process.answer() == 0);
      CHECK(process.warnings() == 0);
    }
    CHECK(fs::file_size(compiles) == static_cast<std::uintmax_t>(different));
    ::close(count);
  }
}

TEST_CASE("who waits for a process that is killed goes on at once") {
  TemporaryFolder folder;
  const fs::path root = folder.path() / "cache";
  const std::string key = attack_key(0);
  int started[2];
  REQUIRE(::pipe(started) == 0);
  Process stuck(folder.path() / "stuck", [&] {
    Cache(root).obtain(key, attack_label, [&] {
      (void)!::write(started[1], "x", 1);
      std::this_thread::sleep_for(std::chrono::hours(1));
      return attack_image(key);
    });
    return 0;
  });
  char byte = 0;
  REQUIRE(::read(started[0], &byte, 1) == 1);
  const auto begin = std::chrono::steady_clock::now();
  Process waiting(folder.path() / "waiting", [&] {
    const auto image = Cache(root).obtain(key, attack_label, [&] { return attack_image(key); });
    return is_right(image, key) && !image.from_cache ? 0 : 1;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK_FALSE(waiting.ended());
  stuck.kill();
  stuck.wait();
  waiting.wait();
  CHECK(waiting.answer() == 0);
  CHECK(waiting.warnings() == 0);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(30));  // not lock_wait
  ::close(started[0]);
  ::close(started[1]);
}
