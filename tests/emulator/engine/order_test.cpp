// What fences, releases and acquires order, run as programs: blocks and warps that pass a value
// under a flag, each with the one that forgets a part. Silent with all of its parts, a race without
// one.
#include <doctest/doctest.h>

#include "lane_kernel.hpp"

using namespace emulator_test;

namespace {

struct Outcome {
  std::string kinds;
  std::uint32_t taken = 0;
};

/// Two blocks of `threads`. The block numbered `writer` runs `publish`, the other `take`; thread 0
/// leaves %d in the result. %data, %flag: 64-bit addresses of global words; `shared` has two words.
Outcome pass(const std::string& publish, const std::string& take, unsigned writer,
             unsigned threads = 32, unsigned host_threads = 1) {
  const std::string text = R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry pass(.param .u64 data, .param .u64 flag, .param .u64 out)
{
  .reg .b32 %t<10>, %d, %tid;
  .reg .b64 %data, %flag, %out;
  .reg .pred %p<4>, %first, %writes;
  ld.param.u64 %data, [data];
  ld.param.u64 %flag, [flag];
  ld.param.u64 %out, [out];
  mov.u32 %tid, %tid.x;
  mov.u32 %t0, %ctaid.x;
  setp.eq.u32 %first, %tid, 0;
  setp.eq.u32 %writes, %t0, )" +
                           std::to_string(writer) + R"(;
  mov.u32 %d, 0;
  @%writes bra WRITER;
)" + take + R"(
  @%first st.global.u32 [%out], %d;
  ret;
WRITER:
)" + publish + R"(
  ret;
}
)";
  static Memory memory(std::size_t{1} << 32);
  const auto module = Module::load(text, memory);
  const std::uint64_t words = memory.allocate(4096);
  std::memset(reinterpret_cast<void*>(words), 0, 4096);
  memory.mark_initialized(words, 4096);
  Launch launch;
  launch.grid.x = 2;
  launch.block.x = threads;
  launch.parameters = pointer_parameters({words, words + 1024, words + 2048});
  Options options;
  options.threads = static_cast<int>(host_threads);
  options.step_limit = 1000000;
  const Report report = run(module->kernels().at("pass"), launch, memory, options);
  Outcome outcome;
  for (const Fault& fault : report.faults) {
    const std::string kind = name(fault.kind);
    if (outcome.kinds.find(kind) == std::string::npos) outcome.kinds += kind;
  }
  std::memcpy(&outcome.taken, reinterpret_cast<void*>(words + 2048), 4);
  memory.release(words);
  return outcome;
}

void check(const std::string& publish, const std::string& take, const std::string& kinds,
           unsigned threads = 32) {
  CAPTURE(publish);
  CAPTURE(take);
  for (const unsigned writer : {0u, 1u}) {  // whichever block is begun first
    for (const unsigned host_threads : {1u, 2u}) {
      const Outcome got = pass(publish, take, writer, threads, host_threads);
      CHECK(got.kinds == kinds);
      CHECK(got.taken == 42);
    }
  }
}

const std::string store_data = "@%first st.global.u32 [%data], 42;\n";
const std::string load_data = "@%first ld.global.u32 %d, [%data];\n";
std::string wait(const std::string& load) {
  return "WAIT: " + load + " %t1, [%flag]; setp.eq.u32 %p0, %t1, 0; @%p0 bra WAIT;\n";
}

}  // namespace

TEST_CASE("a value passed between blocks under a flag") {
  const std::string released[] = {
      "@%first st.release.gpu.global.u32 [%flag], 1;",
      "fence.acq_rel.gpu; @%first st.relaxed.gpu.global.u32 [%flag], 1;",
      "fence.sc.sys; @%first st.relaxed.sys.global.u32 [%flag], 1;",
      "membar.gl; @%first st.volatile.global.u32 [%flag], 1;",
      "membar.sys; @%first atom.global.exch.b32 %t2, [%flag], 1;",
      "@%first atom.release.gpu.global.add.u32 %t2, [%flag], 1;",
      "@%first red.release.sys.global.add.u32 [%flag], 1;",
      "@%first atom.acq_rel.gpu.global.cas.b32 %t2, [%flag], 0, 1;",
      "membar.gl; @%first st.volatile.u32 [%flag], 1;"};
  const std::string acquired[] = {
      wait("ld.acquire.gpu.global.u32"), wait("ld.acquire.sys.u32"),
      wait("ld.relaxed.gpu.global.u32") + "fence.acq_rel.gpu;\n",
      wait("ld.volatile.global.u32") + "membar.gl;\n",
      "WAIT: atom.acquire.gpu.global.add.u32 %t1, [%flag], 0; setp.eq.u32 %p0, %t1, 0; @%p0 bra "
      "WAIT;\n"};
  for (const std::string& publish : released) {
    for (const std::string& take : acquired) check(store_data + publish, take + load_data, "");
  }
  // Without the release, or with one that reaches only the block or comes before the value.
  for (const std::string publish :
       {"@%first st.relaxed.gpu.global.u32 [%flag], 1;",
        "@%first st.volatile.global.u32 [%flag], 1;",
        "fence.acq_rel.cta; @%first st.relaxed.gpu.global.u32 [%flag], 1;",
        "membar.cta; @%first st.volatile.global.u32 [%flag], 1;",
        "@%first st.release.cta.global.u32 [%flag], 1;",
        "@%first atom.relaxed.gpu.global.add.u32 %t2, [%flag], 1;",
        "@%first red.global.add.u32 [%flag], 1;"}) {
    const bool strong_at_block_scope = publish.find("release.cta") != std::string::npos;
    if (!strong_at_block_scope) check(store_data + publish, acquired[0] + load_data, "data_race");
    check(store_data + publish, acquired[2] + load_data, "data_race");
  }
  check("membar.gl;\n" + store_data + "@%first st.volatile.global.u32 [%flag], 1;",
        acquired[3] + load_data, "data_race");
  // Without the acquire.
  for (const std::string& take : {wait("ld.relaxed.gpu.global.u32"), wait("ld.volatile.global.u32"),
                                  wait("ld.volatile.global.u32") + "membar.cta;\n"}) {
    for (const std::string& publish : released)
      check(store_data + publish, take + load_data, "data_race");
  }
  // A flag that is no strong access is itself the race.
  check(store_data + "membar.gl; @%first st.global.u32 [%flag], 1;", acquired[3] + load_data,
        "data_race");
}

TEST_CASE("fences and barriers carry what other warps of the block wrote and read") {
  // Warp 1 writes; warp 0 tells.
  const std::string other = "setp.eq.u32 %p1, %tid, 32;\n@%p1 st.global.u32 [%data], 42;\n";
  const std::string tell = "@%first st.volatile.global.u32 [%flag], 1;";
  const std::string take = wait("ld.acquire.gpu.global.u32") + load_data;
  check(other + "bar.sync 0; membar.gl;\n" + tell, take, "", 64);
  check(other + "membar.gl; bar.sync 0;\n" + tell, take, "", 64);
  check(other + "bar.sync 0;\n" + tell, take, "data_race", 64);
  // Thread 0 waits; after a barrier warp 1 reads.
  const std::string poll = "@!%first bra WAITED;\n" + wait("ld.volatile.global.u32") + "WAITED:\n";
  const std::string late =
      "setp.eq.u32 %p1, %tid, 32;\n@%p1 ld.global.u32 %t4, [%data];\n"
      "mov.u32 %d, 42;\n";
  const std::string publish = store_data + "membar.gl;\n" + tell;
  check(publish, poll + "membar.gl; bar.sync 0;\n" + late, "", 64);
  check(publish, poll + "bar.sync 0; membar.gl;\n" + late, "", 64);
  check(publish, poll + "bar.sync 0;\n" + late, "data_race", 64);
}

TEST_CASE("inside a block flags in shared memory order warps, at block scope") {
  const auto both =
      [](const std::string& release, const std::string& acquire) {
        // Only the first block takes part; warp 1 passes to warp 0 through shared memory.
        return R"(
  .shared .align 4 .b32 words[2];
  @%first st.shared.u32 [words+4], 0;
  bar.sync 0;
  setp.lt.u32 %p1, %tid, 32;
  @%p1 bra TAKE;
  st.shared.u32 [words], 42;
)" + release + R"(
  bra BOTH;
TAKE:
)" + acquire + R"(
  ld.shared.u32 %d, [words];
BOTH:
)";
      };
  const std::string spin =
      "SPIN: ld.volatile.shared.u32 %t1, [words+4]; setp.eq.u32 %p0, %t1, 0; "
      "@%p0 bra SPIN;\n";
  const std::string set = "st.volatile.shared.u32 [words+4], 1;\n";
  check("", both("membar.cta;\n" + set, spin + "membar.cta;\n"), "", 64);
  check("",
        both("st.release.cta.shared.u32 [words+4], 1;\n",
             "SPIN: ld.acquire.cta.shared.u32 %t1, [words+4]; setp.eq.u32 %p0, %t1, 0; @%p0 bra "
             "SPIN;\n"),
        "", 64);
  check("", both(set, spin + "membar.cta;\n"), "data_race", 64);
  check("", both("membar.cta;\n" + set, spin), "data_race", 64);
}

TEST_CASE("a word read plainly only to be swapped if unchanged is no race") {
  const std::string swap = R"(
  mov.u32 %d, 42;
  ld.global.u32 %t1, [%flag];
AGAIN:
  add.u32 %t2, %t1, 3;
  atom.global.cas.b32 %t3, [%flag], %t1, %t2;
  setp.ne.u32 %p0, %t1, %t3;
  mov.u32 %t1, %t3;
  @%p0 bra AGAIN;
)";
  std::string again = swap;
  again.replace(again.find("AGAIN:"), 6, "ONCE:");
  again.replace(again.find("bra AGAIN"), 9, "bra ONCE");
  check(again, swap, "");
  // Read for another purpose it is one.
  check(again, "mov.u32 %d, 42;\nld.global.u32 %t5, [%flag];\n", "data_race");
}

TEST_CASE("atomics whose scope is the block race between blocks") {
  check("atom.cta.global.add.u32 %t1, [%flag], 1;",
        "mov.u32 %d, 42; red.global.add.u32 [%flag], 1;", "data_race");
  check("atom.gpu.global.add.u32 %t1, [%flag], 1;",
        "mov.u32 %d, 42; red.global.add.u32 [%flag], 1;", "");
}

TEST_CASE("blocks that wait for later ones let them begin") {
  // Each of 40 blocks waits for the one after it; only one runs at a time.
  const std::string text = R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry chain(.param .u64 flags)
{
  .reg .b32 %r<4>;
  .reg .b64 %l<3>;
  .reg .pred %p;
  ld.param.u64 %l0, [flags];
  mov.u32 %r0, %ctaid.x;
  mul.wide.u32 %l1, %r0, 4;
  add.s64 %l1, %l1, %l0;
WAIT:
  ld.acquire.gpu.global.u32 %r1, [%l1+4];
  setp.eq.u32 %p, %r1, 0;
  @%p bra WAIT;
  add.u32 %r1, %r1, 1;
  st.release.gpu.global.u32 [%l1], %r1;
  ret;
}
)";
  Memory memory(std::size_t{1} << 30);
  const auto module = Module::load(text, memory);
  const std::uint64_t flags = memory.allocate(41 * 4);
  std::memset(reinterpret_cast<void*>(flags), 0, 41 * 4);
  const std::uint32_t one = 1;
  std::memcpy(reinterpret_cast<void*>(flags + 160), &one, 4);
  memory.mark_initialized(flags, 41 * 4);
  Launch launch;
  launch.grid.x = 40;
  launch.block.x = 1;
  launch.parameters = pointer_parameters({flags});
  Options options;
  options.threads = 1;
  options.step_limit = 10000000;
  const Report report = run(module->kernels().at("chain"), launch, memory, options);
  CHECK(report.faults.empty());
  std::uint32_t first = 0;
  std::memcpy(&first, reinterpret_cast<void*>(flags), 4);
  CHECK(first == 41);
}
