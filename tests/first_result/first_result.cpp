// The first result of a process. From nothing: at most 0.5 s, NVRTC included. From the cache: at
// most 20 ms, and NVRTC is not opened. The device's start and the emulated run are apart: neither
// is what a user waits for on a GPU.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/surroundings.hpp"

using tilewright::test::ScopedVariable;
using tilewright::test::TemporaryFolder;

namespace {

nlohmann::json probe() {
  FILE* process = ::popen(TILEWRIGHT_PROBE, "r");
  REQUIRE((process != nullptr));
  std::string said;
  for (int c; (c = std::fgetc(process)) != EOF;) said += static_cast<char>(c);
  CHECK(::pclose(process) == 0);
  CAPTURE(said);
  REQUIRE(nlohmann::json::accept(said));
  return nlohmann::json::parse(said);
}

double part(const nlohmann::json& parts, const char* name) { return parts.at(name).get<double>(); }

/// Everything but the device's start and the run, of all threads together.
double cost(const nlohmann::json& parts) {
  return part(parts, "before_main") + part(parts, "compile") + part(parts, "memory");
}

/// The same along the longer of the two threads that compile at once: what the clock shows where
/// nobody else wants the processors.
double longest_thread(const nlohmann::json& parts) {
  const double all = part(parts, "compile"), caller = part(parts, "compile_by_caller");
  return cost(parts) - all + std::max(caller, all - caller);
}

}  // namespace

TEST_CASE("the first result: 0.5 s from nothing, 20 ms from the cache without NVRTC") {
  double cold = 1e9, warm = 1e9;
  for (int attempt = 0; attempt < 3; ++attempt) {
    TemporaryFolder folder;
    ScopedVariable cache("TILEWRIGHT_CACHE_DIR", folder.path().string());
    const auto first = probe();
    CHECK(first.at("right") == true);
    CHECK(first.at("nvrtc") == true);
    if (longest_thread(first) < cold) std::printf("cold: %s\n", first.dump().c_str());
    cold = std::min(cold, longest_thread(first));
    for (int again = 0; again < 5; ++again) {
      const auto next = probe();
      CHECK(next.at("right") == true);
      CHECK(next.at("nvrtc") == false);
      if (cost(next) < warm) std::printf("warm: %s\n", next.dump().c_str());
      warm = std::min(warm, cost(next));
    }
    if (cold <= 500 && warm <= 20) break;
  }
  std::printf("cold: %.1f ms (the longer thread), warm: %.2f ms (all)\n", cold, warm);
  CHECK(cold <= 500);
  CHECK(warm <= 20);
}
