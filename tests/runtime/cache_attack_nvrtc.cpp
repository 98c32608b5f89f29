// The attack with the real compiler: processes that compile two kernels with NVRTC, some killed on
// the way. What is in the cache afterwards is, byte for byte, what NVRTC gives without a cache.
#include <doctest/doctest.h>

#include <list>

#include "cache_process.hpp"
#include "runtime/compile.hpp"

using namespace tilewright::runtime;
using namespace tilewright::test;
namespace fs = std::filesystem;

namespace {

std::string kernel(int number) {
  return "extern \"C\" __global__ void probe(int* x) { x[threadIdx.x] += " +
         std::to_string(number) + "; }\n";
}

CompiledImage compiled(int number) {
  return compile_image(kernel(number), "probe", "sm_80", ImageKind::cubin);
}

}  // namespace

TEST_CASE("processes with NVRTC, killed and damaged: the cache holds what NVRTC gives") {
  TemporaryFolder folder;
  const fs::path root = folder.path() / "cache";
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", root.string());
  std::mt19937 random(11);
  int killed = 0;
  for (int round = 0; round < 3; ++round) {
    std::list<Process> all;
    for (int i = 0; i < 6; ++i)
      all.emplace_back(folder.path() / ("said-" + std::to_string(i)), [&, i] {
        (void)!std::freopen("/dev/null", "w", stdout);
        ::execl(TILEWRIGHT_COMPILE_PROBE, "probe", kernel(2 * round + i % 2).c_str(), nullptr);
        return 98;
      });
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 200));
    all.front().kill();
    all.back().kill();
    for (Process& process : all) {
      process.wait();
      killed += process.killed();
      if (!process.killed()) CHECK(process.answer() == 0);
      CHECK(process.warnings() == 0);
    }
  }
  CHECK(temporaries_in(root) <= killed);

  for (int number = 0; number < 6; ++number) {
    const CompiledImage kept = compiled(number);
    CHECK(kept.from_cache);
    ScopedVariable off("TILEWRIGHT_CACHE", "off");
    const CompiledImage fresh = compiled(number);
    CHECK_FALSE(fresh.from_cache);
    CHECK(fresh.bytes == kept.bytes);
    CHECK(fresh.log == kept.log);
  }
  for (const CacheEntry& entry : Cache(root).list()) fs::resize_file(entry.file, entry.bytes / 2);
  for (const bool again : {false, true}) CHECK(compiled(0).from_cache == again);
}
