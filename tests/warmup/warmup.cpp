// The function `warmup`: what it has compiled, `compile` finds; what it cannot compile stays with
// its item; what the machine lacks ends it.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <tilewright/dsl.hpp>
#include <tilewright/warmup.hpp>

#include "plan_errors.hpp"
#include "runtime/cache.hpp"
#include "runtime/errors.hpp"
#include "runtime/machine.hpp"
#include "runtime/nvrtc.hpp"
#include "runtime/surroundings.hpp"

using namespace tilewright;
using runtime::ImageTarget;
using test::ScopedVariable;
using test::TemporaryFolder;

namespace {

inline constexpr Dim<"m"> M;
inline constexpr Dim<"n"> N;

const auto twice = kernel("twice", [](In<"x", f32, M, N> X, Out<"y", f32, M, N> Y) {
  auto m = blocks(M);
  store(Y(m, N), load(X(m, N)) * 2.f);
});
const auto row_sum = kernel("row_sum", [](In<"x", f32, M, N> X, Out<"y", f32, M> Y) {
  auto m = blocks(M);
  store(Y(m), reduce_sum(load(X(m, N)), N));
});
const auto wrong = kernel("wrong", [](In<"x", f32, M, N> X, Out<"y", f32, M, N> Y) {
  auto m = blocks(M);
  let("a name", load(X(m, N)));
  store(Y(m, N), load(X(m, N)));
});
const auto throws = kernel("throws", [](In<"x", f32, M> X, Out<"y", f32, M> Y) {
  auto m = blocks(M);
  store(Y(m), load(X(m)));
  throw std::runtime_error("the user's own");
});

const ImageTarget gpu{"sm_80", runtime::ImageKind::cubin},
    emulated{"sm_80", runtime::ImageKind::ptx};
const CompileRequest of_16{.extents = {{N, 16}}}, of_32{.extents = {{N, 32}}};

std::set<std::string> keys(const TemporaryFolder& folder) {
  std::set<std::string> all;
  for (const auto& entry : runtime::Cache(folder.path()).list()) all.insert(entry.key);
  return all;
}

template <typename Action>
void require_error(const ErrorEntry& entry, const std::string& argument, const Action& action) {
  try {
    action();
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(std::string(error.id()) == std::string(entry.id));
    CHECK(error.argument() == argument);
  }
}

}  // namespace

TEST_CASE("what was warmed up, compile only reads") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", folder.path().string());
  std::vector<std::size_t> told;
  const std::vector<WarmupItem> items{
      {twice, of_16, emulated}, {row_sum, of_16, emulated}, {twice, of_32, gpu}};
  const auto report = warmup(items, {.progress = [&](std::size_t item, const WarmupResult& result) {
                               told.push_back(item);
                               CHECK_FALSE(result.from_cache);
                             }});
  REQUIRE(report.results.size() == 3);
  std::sort(told.begin(), told.end());
  CHECK(told == std::vector<std::size_t>{0, 1, 2});
  for (const WarmupResult& result : report.results) {
    CHECK_FALSE(result.error);
    CHECK(result.kept);
    CHECK(result.bytes > 0);
    CHECK(result.seconds > 0);
  }
  const auto filled = keys(folder);
  CHECK(filled.size() == 6);

  const Device device = Device::open("emulator:sm_80");
  CHECK(ImageTarget::of(device) == emulated);
  compile(device, twice, of_16);
  compile(device, row_sum, of_16);
  CHECK(keys(folder) == filled);
  compile(device, twice, of_32);  // warmed up for a GPU only
  CHECK(keys(folder).size() == 8);

  for (const WarmupResult& result : warmup(items).results) {
    CHECK(result.from_cache);
    CHECK(result.kept);
  }
}

TEST_CASE("what is wrong with one item is its own, and the others are compiled") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", folder.path().string());
  const auto report = warmup({{wrong, of_16, gpu},
                              {twice, of_16, gpu},
                              {twice, {}, gpu},
                              {twice, of_16, {"sm_70", runtime::ImageKind::cubin}},
                              {row_sum, of_16, gpu}},
                             {.jobs = 2});
  const auto kind = [&](std::size_t item) { return report.results.at(item).error.value().kind(); };
  CHECK(kind(0) == ErrorKind::invalid_program);
  CHECK(kind(2) == ErrorKind::shape_mismatch);
  CHECK(kind(3) == ErrorKind::invalid_argument);
  for (const std::size_t right : {1, 4}) {
    CHECK_FALSE(report.results[right].error);
    CHECK(report.results[right].kept);
  }
  CHECK(keys(folder).size() == 4);
}

TEST_CASE("an exception of the user's ends it, and leaves no thread behind") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", folder.path().string());
  CHECK_THROWS_WITH(warmup({{throws, {}, gpu}, {twice, of_16, gpu}}), "the user's own");
  CHECK_THROWS_WITH(
      warmup({{twice, of_16, gpu}, {row_sum, of_16, gpu}},
             {.progress = [](std::size_t,
                             const WarmupResult&) { throw std::runtime_error("of progress"); }}),
      "of progress");
}

TEST_CASE("what the machine lacks, and what cannot be asked for, is refused as a whole") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", folder.path().string());
  const std::vector<WarmupItem> items{{twice, of_16, gpu}};
  require_error(errors::plan["warmup-jobs-invalid"], "jobs", [&] { warmup(items, {.jobs = -1}); });
  require_error(errors::plan["warmup-memory-too-small"], "memory",
                [&] { warmup(items, {.memory = 1 << 20}); });
  {
    ScopedVariable off("TILEWRIGHT_CACHE", "off");
    require_error(errors::plan["warmup-without-cache"], "TILEWRIGHT_CACHE", [&] { warmup(items); });
  }
  ScopedVariable nowhere("TILEWRIGHT_NVRTC_PATH", (folder.path() / "nowhere").string());
  require_error(errors::runtime["nvrtc-not-found"], "nvrtc", [&] { warmup(items); });
  CHECK(warmup({}).results.empty());
}

TEST_CASE("the compiles at a time: as many as asked for, and as memory allows") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", folder.path().string());
  constexpr std::uint64_t one = runtime::Nvrtc::bytes_per_compile;
  CHECK(warmup({}, {.jobs = 3, .memory = 100 * one}).jobs == 3);
  CHECK(warmup({}, {.jobs = 16, .memory = 3 * one + 1}).jobs == 3);
  CHECK(warmup({}, {.jobs = 16, .memory = one}).jobs == 1);
  CHECK(warmup({}).jobs >= 1);
  CHECK(runtime::available_memory() > 0);
}

TEST_CASE("targets by name: GPUs need not be there, and get their accelerated set") {
  CHECK(ImageTarget::named("sm_80") == gpu);
  CHECK(ImageTarget::named("sm_90") == ImageTarget{"sm_90a", runtime::ImageKind::cubin});
  CHECK(ImageTarget::named("sm_90a") == ImageTarget::named("sm_90"));
  CHECK(ImageTarget::named("sm_120") == ImageTarget{"sm_120a", runtime::ImageKind::cubin});
  CHECK(ImageTarget::named("emulator:sm_80") == emulated);
  CHECK(ImageTarget::named("emulator:sm_90a") == ImageTarget{"sm_90a", runtime::ImageKind::ptx});
  require_error(errors::runtime["architecture-malformed"], "architecture",
                [] { ImageTarget::named("sm_x"); });
  require_error(errors::runtime["device-unknown"], "device", [] { ImageTarget::named("gpu"); });
  CHECK(program_arch("sm_90a") == "sm_90");
  CHECK(program_arch("sm_120a") == "sm_120");
  CHECK(program_arch("sm_80") == "sm_80");
}
