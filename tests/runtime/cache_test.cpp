// The cache against everything a disk can do: hits, damage of every byte, a folder that cannot be
// written, threads, a stuck lock. Processes are in compile_test.cpp.
#include "runtime/cache.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <tilewright/error.hpp>

#include "runtime/atomic_file.hpp"
#include "runtime/digest.hpp"
#include "runtime/errors.hpp"
#include "runtime/surroundings.hpp"

using namespace tilewright;
using namespace tilewright::runtime;
using test::TemporaryFolder;

namespace {

const EntryLabel label{"kernel", "sm_80", ImageKind::ptx};

/// Counts its calls; the image names the call.
struct Compiler {
  std::atomic<int> calls{0};
  std::chrono::milliseconds takes{0};

  CompiledImage operator()() {
    std::this_thread::sleep_for(takes);
    CompiledImage image;
    image.bytes = "image " + std::to_string(++calls) + std::string(3, '\0') + "end";
    image.log = "note";
    image.kind = ImageKind::ptx;
    image.architecture = "sm_80";
    return image;
  }
};

std::string key_of(const std::string& text) { return Digest().add(text).hex(); }

std::filesystem::path only_entry(const Cache& cache) {
  const auto entries = cache.list();
  REQUIRE(entries.size() == 1);
  return entries[0].file;
}

}  // namespace

TEST_CASE("a miss compiles, a hit does not, and gives the same image and log") {
  TemporaryFolder folder;
  const Cache cache(folder.path());
  Compiler compiler;
  const auto first = cache.obtain(key_of("a"), label, std::ref(compiler));
  const auto again = cache.obtain(key_of("a"), label, std::ref(compiler));
  CHECK(compiler.calls == 1);
  CHECK_FALSE(first.from_cache);
  CHECK(again.from_cache);
  CHECK(again.bytes == first.bytes);
  CHECK(again.log == "note");
  CHECK(again.architecture == "sm_80");
  cache.obtain(key_of("b"), label, std::ref(compiler));
  CHECK(compiler.calls == 2);

  // The same key with another label is not this kernel.
  cache.obtain(key_of("a"), {"other", "sm_80", ImageKind::ptx}, std::ref(compiler));
  CHECK(compiler.calls == 3);
}

TEST_CASE("an entry with any byte changed, cut off or grown is compiled again and repaired") {
  TemporaryFolder folder;
  const Cache cache(folder.path());
  Compiler compiler;
  const std::string key = key_of("a");
  cache.obtain(key, label, std::ref(compiler));
  const auto file = only_entry(cache);
  const std::string whole = *read_file(file);
  const auto write = [&](const std::string& bytes) { REQUIRE(!write_atomically(file, bytes)); };

  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    CAPTURE(at);
    REQUIRE_FALSE(decode_entry(damaged, key, label).has_value());
    REQUIRE_FALSE(decode_entry(whole.substr(0, at), key, label).has_value());
  }
  REQUIRE_FALSE(decode_entry(whole + "x", key, label).has_value());

  for (const std::string& bytes : {std::string(), whole.substr(0, 40), std::string(500, '\xff')}) {
    write(bytes);
    const int before = compiler.calls;
    CHECK_FALSE(cache.obtain(key, label, std::ref(compiler)).from_cache);
    CHECK(compiler.calls == before + 1);
    CHECK(cache.obtain(key, label, std::ref(compiler)).from_cache);
  }
}

TEST_CASE("a checksum over lying lengths does not lead past the end") {
  const std::string key = key_of("a");
  CompiledImage image;
  image.bytes = "payload";
  std::string bytes = encode_entry(key, label, image);
  bytes.replace(8 + 64 + 8 * 4, 8, std::string(8, '\xff'));  // the image's length
  const std::string body = bytes.substr(8 + 64);
  bytes.replace(8 + 32, 32, Digest().add(key).add(body).hex());
  CHECK_FALSE(decode_entry(bytes, key, label).has_value());
}

TEST_CASE("a folder that cannot be written costs the cache, not the answer") {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "in the way";
  const Cache cache(folder.path() / "file" / "cache");  // root may write anywhere, but not here
  Compiler compiler;
  CHECK(cache.obtain(key_of("a"), label, std::ref(compiler)).bytes.rfind("image 1", 0) == 0);
  CHECK(cache.obtain(key_of("a"), label, std::ref(compiler)).bytes.rfind("image 2", 0) == 0);
  CHECK(cache.list().empty());
}

TEST_CASE("a cache that is off keeps nothing") {
  const Cache cache({});
  Compiler compiler;
  CHECK_FALSE(cache.enabled());
  cache.obtain(key_of("a"), label, std::ref(compiler));
  cache.obtain(key_of("a"), label, std::ref(compiler));
  CHECK(compiler.calls == 2);
  CHECK(cache.clear() == 0);
}

TEST_CASE("threads that want one key share one compile, also its error") {
  TemporaryFolder folder;
  for (const bool enabled : {true, false}) {
    const Cache cache(enabled ? folder.path() : std::filesystem::path{});
    Compiler compiler;
    compiler.takes = std::chrono::milliseconds(200);
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        const auto image = cache.obtain(key_of("shared"), label, std::ref(compiler));
        right += image.bytes.rfind("image 1", 0) == 0;
      });
    for (auto& thread : threads) thread.join();
    CHECK(compiler.calls == 1);
    CHECK(right == 8);
  }

  const Cache cache(folder.path());
  std::atomic<int> calls{0}, refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      try {
        cache.obtain(key_of("bad"), label, [&]() -> CompiledImage {
          std::this_thread::sleep_for(std::chrono::milliseconds(200));
          ++calls;
          throw Error(errors::runtime["nvrtc-refused"], "no");
        });
      } catch (const Error& error) {
        refused += error.kind() == ErrorKind::compile_failed;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(calls == 1);
  CHECK(refused == 4);
  Compiler compiler;  // a failure is not remembered
  CHECK(cache.obtain(key_of("bad"), label, std::ref(compiler)).bytes.rfind("image 1", 0) == 0);
}

TEST_CASE("a lock that is never released delays by the limit and no more") {
  TemporaryFolder folder;
  const std::string key = key_of("a");
  const auto lock = folder.path() / "locks" / (key.substr(0, 2) + ".lock");
  std::filesystem::create_directories(lock.parent_path());
  const int held = open(lock.c_str(), O_RDWR | O_CREAT, 0644);
  REQUIRE(flock(held, LOCK_EX) == 0);
  const Cache cache(folder.path(), {.lock_wait = std::chrono::milliseconds(300)});
  Compiler compiler;
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(cache.obtain(key, label, std::ref(compiler)).from_cache);
  const auto waited = std::chrono::steady_clock::now() - start;
  CHECK(waited >= std::chrono::milliseconds(300));
  CHECK(waited < std::chrono::seconds(20));
  CHECK(compiler.calls == 1);
  close(held);
}

TEST_CASE("list and clear see entries and left-overs, and touch nothing else") {
  TemporaryFolder folder;
  const Cache cache(folder.path());
  Compiler compiler;
  cache.obtain(key_of("a"), {"first", "sm_80", ImageKind::ptx}, std::ref(compiler));
  cache.obtain(key_of("b"), {"second", "sm_90a", ImageKind::cubin}, std::ref(compiler));
  const auto entries = cache.list();
  REQUIRE(entries.size() == 2);
  for (const CacheEntry& entry : entries) {
    const bool first = entry.label.kernel == "first";
    CHECK(entry.label.architecture == (first ? "sm_80" : "sm_90a"));
    CHECK(entry.key == key_of(first ? "a" : "b"));
    CHECK(entry.bytes == std::filesystem::file_size(entry.file));
    CHECK(entry.age < std::chrono::minutes(1));
  }

  const auto beside = entries[0].file.parent_path();
  std::ofstream(beside / ".tmp-1-1") << "left by a killed process";
  std::ofstream(beside / "mine.txt") << "not the cache's";
  std::ofstream(folder.path() / "mine.image") << "not the cache's";
  std::ofstream(beside / "broken.image") << "damaged";
  CHECK(cache.list().size() == 2);
  CHECK(cache.clear() == 4);
  CHECK(cache.list().empty());
  CHECK(std::filesystem::exists(beside / "mine.txt"));
  CHECK(std::filesystem::exists(folder.path() / "mine.image"));
}
