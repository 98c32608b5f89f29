// The variables and their defaults: where the cache goes with and without XDG, and that a misspelt
// switch is refused by name.
#include "runtime/environment.hpp"

#include <doctest/doctest.h>

#include <tilewright/error.hpp>

#include "runtime/surroundings.hpp"

using namespace tilewright;
using namespace tilewright::runtime;
using test::ScopedVariable;

TEST_CASE("the cache folder: its own variable, then XDG, then the home folder") {
  ScopedVariable own("TILEWRIGHT_CACHE_DIR", std::nullopt);
  ScopedVariable xdg("XDG_CACHE_HOME", "/somewhere/cache");
  ScopedVariable home("HOME", "/people/someone");
  CHECK(environment::cache_directory() == "/somewhere/cache/tilewright");
  {
    ScopedVariable set("TILEWRIGHT_CACHE_DIR", "/own");
    CHECK(environment::cache_directory() == "/own");
  }
  ScopedVariable relative("XDG_CACHE_HOME", "not/absolute");
  CHECK(environment::cache_directory() == "/people/someone/.cache/tilewright");
  ScopedVariable no_home("HOME", "");  // falls back to the account's folder, never to "/.cache"
  CHECK(environment::cache_directory() != "/.cache/tilewright");
}

TEST_CASE("switches accept their words and refuse others by name") {
  for (const char* word : {"", "on", "1"}) {
    ScopedVariable cache("TILEWRIGHT_CACHE", word);
    CHECK(environment::cache_limit() == environment::default_cache_bytes);
  }
  for (const char* word : {"off", "0"}) {
    ScopedVariable cache("TILEWRIGHT_CACHE", word);
    CHECK(environment::cache_limit() == 0);
  }
  const std::pair<const char*, std::uint64_t> sizes[] = {
      {"1K", 1024},
      {"512m", 512u << 20},
      {"2GiB", std::uint64_t{2} << 30},
      {"8388607T", std::uint64_t{8388607} << 40}};
  for (const auto& [word, bytes] : sizes) {
    CAPTURE(word);
    ScopedVariable cache("TILEWRIGHT_CACHE", word);
    CHECK(environment::cache_limit() == bytes);
  }
  for (const char* word : {"of", "512", "-1G", "0G", "2GB", "2 G", "1.5G", "G", "2P", "8388608T",
                           "99999999999999999999G", "1G1", "2*", "1\x8b"}) {
    CAPTURE(word);
    ScopedVariable cache("TILEWRIGHT_CACHE", word);
    try {
      environment::cache_limit();
      FAIL("accepted it");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::invalid_argument);
      CHECK(std::string(error.id()) == "environment-invalid");
      CHECK(error.argument() == "TILEWRIGHT_CACHE");
      CHECK(error.value() == word);
    }
  }
  ScopedVariable log("TILEWRIGHT_LOG", "debug");
  CHECK(environment::log_level() == environment::LogLevel::debug);
  ScopedVariable bad_log("TILEWRIGHT_LOG", "loud");
  CHECK_THROWS_AS(environment::log_level(), Error);
}

TEST_CASE("the linker's folders keep their order and lose empty ones") {
  ScopedVariable folders("LD_LIBRARY_PATH", ":/a::/b:");
  const auto list = environment::linker_search_folders();
  REQUIRE(list.size() == 2);
  CHECK(list[0] == "/a");
  CHECK(list[1] == "/b");
}
