// Resources and instruction counts read from cubins, against what `ptxas -v` and a disassembler say
// about the same kernels; then cubins that are damaged.
#include "runtime/cubin_info.hpp"

#include <doctest/doctest.h>

#include <random>
#include <tilewright/error.hpp>

#include "runtime/kernels.hpp"
#include "runtime/nvrtc.hpp"

using namespace tilewright;
using namespace tilewright::runtime;

namespace {

std::string cubin(const char* text, const char* name, const char* architecture,
                  std::string* log = nullptr) {
  auto image =
      Nvrtc::load()->compile(text, name, architecture, ImageKind::cubin, {"--ptxas-options=-v"});
  if (log) *log = image.log;
  return image.bytes;
}

/// The number before `unit` in ptxas's report: "Used 32 registers".
int reported(const std::string& log, const std::string& unit) {
  const std::size_t end = log.find(" " + unit);
  REQUIRE_MESSAGE(end != std::string::npos, log);
  return std::stoi(log.substr(log.rfind(' ', end - 1) + 1));
}

using Class = InstructionClass;

}  // namespace

TEST_CASE("a local array is local memory and no spill; shared memory is what was declared") {
  for (const char* architecture : {"sm_80", "sm_90a"}) {
    CAPTURE(architecture);
    std::string log;
    const std::string bytes = cubin(test::local_array, "local_array", architecture, &log);
    const CubinInfo info = inspect_cubin(bytes);
    CHECK(info.kernel == "local_array");
    CHECK(info.architecture == (std::string(architecture) == "sm_80" ? 80 : 90));
    CHECK(info.registers == reported(log, "registers"));
    CHECK(info.local_bytes == 48);
    CHECK(info.static_shared_bytes == 1024);
    if (info.spills_are_marked) CHECK(info.spill_bytes() == 0);
    CHECK(info.mix().of(Class::local) > 0);
    CHECK(info.raw_code.size() % 128 == 0);
    CHECK(info.code.size() <= info.raw_code.size() / 16);
  }
}

TEST_CASE("spills agree with ptxas to within an instruction each way") {
  for (const char* architecture : {"sm_80", "sm_90a"}) {
    CAPTURE(architecture);
    std::string log;
    const std::string bytes = cubin(test::squeezed, "squeezed", architecture, &log);
    const CubinInfo info = inspect_cubin(bytes, "squeezed");
    CHECK(info.registers == 32);
    CHECK(info.local_bytes == reported(log, "bytes stack frame"));
    CHECK(info.static_shared_bytes == 0);
    CHECK(info.spill_store_bytes > 0);
    CHECK(std::abs(info.spill_store_bytes - reported(log, "bytes spill stores")) <= 16);
    CHECK(std::abs(info.spill_load_bytes - reported(log, "bytes spill loads")) <= 16);
  }
}

TEST_CASE("the loop and its instructions are found") {
  for (const char* architecture : {"sm_80", "sm_90a"}) {
    CAPTURE(architecture);
    const std::string bytes = cubin(test::counted_loop, "counted_loop", architecture);
    const CubinInfo info = inspect_cubin(bytes);
    const auto loops = info.loops();
    REQUIRE(loops.size() == 1);
    const SassLoop& loop = loops[0];
    CHECK(loop.innermost);
    CHECK(loop.mix.of(Class::tensor) == 2);
    CHECK(loop.mix.of(Class::shared) == 3);
    CHECK(loop.mix.of(Class::mufu) == 1);
    CHECK(loop.mix.of(Class::global) == 2);
    CHECK(loop.mix.of(Class::sync) >= 1);
    CHECK(loop.mix.of(Class::fma) >= 2);
    CHECK(loop.mix.of(Class::local) == 0);
    CHECK(loop.mix.of(Class::control) <= 2);  // the branch, and perhaps a NOP
    CHECK(loop.instructions() <= loop.end - loop.begin);
    CHECK(loop.end <= info.code.size());
    CHECK(branch_target(info.code, loop.end - 1, info.architecture) == loop.begin);
  }
}

TEST_CASE("wgmma counts as tensor work and its fences as synchronisation") {
  const std::string bytes = cubin(test::wgmma_loop, "wgmma_loop", "sm_90a");
  const auto loops = inspect_cubin(bytes).loops();
  REQUIRE(loops.size() == 1);
  CHECK(loops[0].mix.of(Class::tensor) == 1);
  CHECK(loops[0].mix.of(Class::sync) >= 2);
  CHECK(loops[0].mix.of(Class::global) == 0);
}

TEST_CASE("nested loops: the inner one is innermost, the outer one contains it") {
  const char* text = R"(
extern "C" __global__ void nested(const int* in, int* out, int n) {
  int sum = 0;
#pragma unroll 1
  for (int i = 0; i < n; ++i) {
    sum ^= in[i];
#pragma unroll 1
    for (int j = 0; j < i; ++j) sum = sum * 3 + in[sum & 7];
  }
  *out = sum;
})";
  for (const char* architecture : {"sm_80", "sm_90a"}) {
    const std::string bytes = cubin(text, "nested", architecture);
    const auto loops = inspect_cubin(bytes).loops();
    REQUIRE(loops.size() == 2);
    CHECK_FALSE(loops[0].innermost);
    CHECK(loops[1].innermost);
    CHECK(loops[0].begin <= loops[1].begin);
    CHECK(loops[0].end >= loops[1].end);
    CHECK(loops[0].mix.of(Class::global) == loops[1].mix.of(Class::global) + 1);
    const std::size_t inner = loops[1].instructions(), once = loops[0].instructions();
    const auto five_times = inspect_cubin(bytes).loops(5);
    CHECK(five_times[1].instructions() == inner);
    CHECK(five_times[0].instructions() == once + 4 * inner);
    CHECK(five_times[0].trip.of(Class::global) == 1 + 5 * loops[1].mix.of(Class::global));
  }
}

TEST_CASE("a trip leaves out what it may branch around, and nothing that touches memory") {
  const char* text = R"(
extern "C" __global__ void rarely(const int* in, float* out, int n, int rare) {
  float sum = 0;
#pragma unroll 1
  for (int i = 0; i < n; ++i) {
    if (i == rare)
      for (int j = 0; j < 64; ++j) { float r; asm volatile("sin.approx.f32 %0, %1;" : "=f"(r) : "f"(sum)); sum += r; }
    if (i > rare) sum += in[i];
    float e; asm volatile("ex2.approx.f32 %0, %1;" : "=f"(e) : "f"(sum)); sum *= e;
  }
  *out = sum;
})";
  const std::string bytes = cubin(text, "rarely", "sm_80");
  SassLoop outer;
  for (const SassLoop& loop : inspect_cubin(bytes).loops())
    if (loop.mix.total() > outer.mix.total()) outer = loop;
  REQUIRE(outer.mix.of(Class::mufu) > 1);
  CHECK(outer.trip.of(Class::mufu) == 1);
  CHECK(outer.mix.of(Class::global) == 1);
  CHECK(outer.trip.of(Class::global) == 1);
  CHECK(outer.instructions() < outer.mix.total());
}

TEST_CASE("code without a loop has none, and a kernel is chosen by its name") {
  const char* text = R"(
extern "C" __global__ void first(float* x) { x[threadIdx.x] = 1; }
extern "C" __global__ void second(double* x) { x[threadIdx.x] = 1; })";
  const std::string bytes = cubin(text, "two", "sm_80");
  CHECK(inspect_cubin(bytes, "first").loops().empty());
  CHECK(inspect_cubin(bytes, "second").kernel == "second");
  for (const char* wrong : {"", "third", "firs"}) {
    try {
      inspect_cubin(bytes, wrong);
      FAIL("found");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::invalid_argument);
      CHECK(std::string(error.id()) == "kernel-not-in-image");
      CHECK(error.allowed().find("second") != std::string::npos);
    }
  }
}

TEST_CASE("damaged cubins are refused or read, never followed out of bounds") {
  const std::string whole = cubin(test::local_array, "local_array", "sm_80");
  CHECK_THROWS_AS(inspect_cubin(""), Error);
  CHECK_THROWS_AS(inspect_cubin("//\n// PTX text\n"), Error);
  CHECK_THROWS_AS(inspect_cubin(std::string(4096, '\0')), Error);
  for (std::size_t length = 0; length < whole.size(); length += 97)
    CHECK_THROWS_AS(inspect_cubin(whole.substr(0, length)), Error);
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = whole;
    // Half of the rounds aim at the header and the section table, where the offsets are.
    for (int hits = 1 + round % 3; hits > 0; --hits) {
      const std::size_t table = whole.size() - 64 * 20;
      const std::size_t at = round % 2 == 0 ? random() % whole.size()
                             : random() % 2 ? random() % 64
                                            : table + random() % (whole.size() - table);
      damaged[at] = static_cast<char>(random());
    }
    try {
      inspect_cubin(damaged, "local_array").loops();
    } catch (const Error& error) {
      const bool expected =
          error.kind() == ErrorKind::invalid_file || error.kind() == ErrorKind::invalid_argument;
      CHECK(expected);
    }
  }
}
