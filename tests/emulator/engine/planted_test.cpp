// One planted fault and its sound twin for every kind the detectors know, in shared memory, in
// global memory, between blocks, warps and lanes. The planted one reports exactly its kind, the
// twin nothing. Prints a table.
#include <doctest/doctest.h>

#include <cstdio>
#include <set>

#include "lane_kernel.hpp"

using namespace emulator_test;

namespace {

struct Pair {
  std::string kind, what;
  std::string planted, sound;
  unsigned blocks = 1, threads = 64;
};

/// %data: 4096 initialised bytes, %fresh: 4096 bytes nobody wrote; `words`: 1024 shared bytes.
std::string kinds_of(const std::string& body, unsigned blocks, unsigned threads) {
  const std::string text = R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry planted(.param .u64 data, .param .u64 fresh)
{
  .reg .b32 %r<12>, %tid, %lane, %warp, %block;
  .reg .b64 %data, %fresh, %mine, %l<4>;
  .reg .pred %first, %p<4>;
  .shared .align 16 .b8 words[1024];
  .reg .b32 %at;
  ld.param.u64 %data, [data];
  ld.param.u64 %fresh, [fresh];
  mov.u32 %tid, %tid.x;
  mov.u32 %lane, %laneid;
  mov.u32 %block, %ctaid.x;
  shr.u32 %warp, %tid, 5;
  setp.eq.u32 %first, %tid, 0;
  mad.wide.u32 %mine, %tid, 4, %data;
  mov.u32 %at, words;
  mad.lo.u32 %at, %tid, 4, %at;
)" + body + "\n  ret;\n}\n";
  static Memory memory(std::size_t{1} << 32);
  const auto module = Module::load(text, memory);
  const std::uint64_t data = memory.allocate(4096), fresh = memory.allocate(4096);
  std::memset(reinterpret_cast<void*>(data), 0, 4096);
  memory.mark_initialized(data, 4096);
  Launch launch;
  launch.grid.x = blocks;
  launch.block.x = threads;
  launch.parameters = pointer_parameters({data, fresh});
  Options options;
  options.step_limit = 100000;
  const Report report = run(module->kernels().at("planted"), launch, memory, options);
  memory.release(data);
  memory.release(fresh);
  std::set<std::string> kinds;
  for (const Fault& fault : report.faults) {
    kinds.insert(name(fault.kind));
    CHECK(fault.ptx_line > 0);
  }
  std::string list;
  for (const std::string& kind : kinds) list += (list.empty() ? "" : ", ") + kind;
  return list.empty() ? "none" : list;
}

const std::string share = "st.shared.u32 [%at], %tid;\n";
const std::string neighbour =
    "xor.b32 %r0, %tid, 32; mov.u32 %r1, words; mad.lo.u32 %r1, %r0, 4, "
    "%r1; ld.shared.u32 %r2, [%r1];\n";
const std::string next_lane =
    "xor.b32 %r0, %tid, 1; mov.u32 %r1, words; mad.lo.u32 %r1, %r0, 4, "
    "%r1; ld.shared.u32 %r2, [%r1];\n";
const std::string copy = "cp.async.ca.shared.global [%at], [%mine], 4;\n";

const Pair pairs[] = {
    {"data_race", "shared memory, between warps", share + neighbour,
     share + "bar.sync 0;\n" + neighbour},
    {"data_race", "shared memory, read before write", share + "bar.sync 0;\n" + neighbour + share,
     share + "bar.sync 0;\n" + neighbour + "bar.sync 0;\n" + share},
    {"data_race", "shared memory, between lanes", share + next_lane,
     share + "bar.warp.sync -1;\n" + next_lane},
    {"data_race", "lanes of one instruction", "st.shared.u32 [words], %lane;",
     "st.shared.u32 [words], %warp;", 1, 32},
    {"data_race", "global memory, between warps",
     "st.global.u32 [%mine], %tid; xor.b32 %r0, %tid, 32; mad.wide.u32 %l0, %r0, 4, %data; "
     "ld.global.u32 %r1, [%l0];",
     "st.global.u32 [%mine], %tid; bar.sync 0; xor.b32 %r0, %tid, 32; mad.wide.u32 %l0, %r0, 4, "
     "%data; ld.global.u32 %r1, [%l0];"},
    {"data_race", "global memory, between blocks", "st.global.u32 [%mine], %block;",
     "mad.lo.u32 %r0, %block, 64, %tid; mad.wide.u32 %l0, %r0, 4, %data; st.global.u32 [%l0], "
     "%tid;",
     3},
    {"data_race", "an atomic and a plain read",
     "atom.shared.add.u32 %r0, [words+512], 0; "
     "ld.shared.u32 %r1, [words+512];",
     "st.shared.u32 [%at], 0; bar.sync 0; atom.shared.add.u32 %r0, [words], 1; bar.sync 0; "
     "ld.shared.u32 %r1, [words];"},
    {"data_race", "a flag without a fence",
     "setp.ne.u32 %p0, %block, 0; @%p0 bra TAKE; @%first st.global.u32 [%data], 1; "
     "@%first st.volatile.global.u32 [%data+64], 1; bra DONE; TAKE: ld.volatile.global.u32 %r0, "
     "[%data+64]; setp.eq.u32 %p1, %r0, 0; @%p1 bra TAKE; membar.gl; ld.global.u32 %r1, [%data]; "
     "DONE:",
     "setp.ne.u32 %p0, %block, 0; @%p0 bra TAKE; @%first st.global.u32 [%data], 1; membar.gl; "
     "@%first st.volatile.global.u32 [%data+64], 1; bra DONE; TAKE: ld.volatile.global.u32 %r0, "
     "[%data+64]; setp.eq.u32 %p1, %r0, 0; @%p1 bra TAKE; membar.gl; ld.global.u32 %r1, [%data]; "
     "DONE:",
     2, 32},
    {"missing_wait", "reading what is being copied",
     copy + "cp.async.commit_group; ld.shared.u32 %r0, [%at];",
     copy + "cp.async.commit_group; cp.async.wait_group 0; ld.shared.u32 %r0, [%at];"},
    {"missing_wait", "one group too few",
     copy + "cp.async.commit_group; cp.async.ca.shared.global [%at+512], [%mine], 4; "
            "cp.async.commit_group; cp.async.wait_group 1; ld.shared.u32 %r0, [%at+512];",
     copy + "cp.async.commit_group; cp.async.ca.shared.global [%at+512], [%mine], 4; "
            "cp.async.commit_group; cp.async.wait_group 1; ld.shared.u32 %r0, [%at]; "
            "cp.async.wait_all;"},
    {"missing_wait", "writing where a copy goes", copy + share + "cp.async.wait_all;",
     copy + "cp.async.wait_all;\n" + share},
    {"out_of_bounds", "global memory, past the end", "st.global.u32 [%mine+4096], 0;",
     "st.global.u32 [%mine+2048], 0;"},
    {"out_of_bounds", "shared memory, past the end", "st.shared.u32 [%at+1024], 0;",
     "st.shared.u32 [%at+768], 0;"},
    {"out_of_bounds", "a copy's source",
     "cp.async.ca.shared.global [%at], [%mine+4096], 4; "
     "cp.async.wait_all;",
     "mov.u32 %r0, 0; cp.async.ca.shared.global [%at], [%mine+4096], 4, %r0; cp.async.wait_all;"},
    {"misaligned", "global memory", "ld.global.u32 %r0, [%mine+2];",
     "ld.global.u32 %r0, [%mine+4];"},
    {"misaligned", "a vector in shared memory", "@%first st.shared.v2.u32 [words+4], {1, 2};",
     "@%first st.shared.v2.u32 [words+8], {1, 2};"},
    {"uninitialized_read", "shared memory", "ld.shared.u32 %r0, [%at];",
     share + "ld.shared.u32 %r0, [%at];"},
    {"uninitialized_read", "global memory", "ld.global.u32 %r0, [%fresh];",
     "@%first st.global.u32 [%fresh], 1; bar.sync 0; ld.global.u32 %r0, [%fresh];"},
    {"divergent_barrier", "two counts at one barrier",
     "setp.lt.u32 %p0, %tid, 32; @%p0 bar.sync 1, 64; @!%p0 bar.sync 1, 32;",
     "setp.lt.u32 %p0, %tid, 32; @%p0 bar.sync 1, 64; @!%p0 bar.sync 1, 64;"},
    {"divergent_barrier", "a count that is no multiple of a warp", "bar.sync 1, 48;",
     "bar.sync 1, 64;"},
    {"deadlock", "a barrier some warps never reach",
     "setp.lt.u32 %p0, %tid, 32; @%p0 bar.sync 1, 64; @!%p0 bar.sync 2, 64;",
     "setp.lt.u32 %p0, %tid, 32; @%p0 bar.sync 1, 32; @!%p0 bar.sync 2, 32;"},
    {"divergent_barrier", "part of a warp at a barrier",
     "setp.lt.u32 %p0, %lane, 9; @%p0 bra HERE; bar.sync 1, 64; bra DONE; HERE: bar.sync 2, 64; "
     "DONE:",
     "setp.lt.u32 %p0, %tid, 32; @%p0 bra HERE; bar.sync 1, 64; bra DONE; HERE: bar.sync 1, 64; "
     "DONE:"},
    {"trap", "a check that fails", "@%first trap;", "setp.eq.u32 %p0, %tid, 99; @%p0 trap;"},
    {"step_limit", "a loop without end", "AGAIN: bra AGAIN;",
     "mov.u32 %r0, 99; AGAIN: sub.u32 %r0, %r0, 1; setp.ne.u32 %p0, %r0, 0; @%p0 bra AGAIN;"},
};

}  // namespace

TEST_CASE("every kind of fault: planted it is reported alone, its sound twin is silent") {
  std::printf("%-20s %-40s %-22s %s\n", "expected", "planted", "reported", "sound twin");
  for (const Pair& pair : pairs) {
    CAPTURE(pair.what);
    const std::string reported = kinds_of(pair.planted, pair.blocks, pair.threads);
    const std::string twin = kinds_of(pair.sound, pair.blocks, pair.threads);
    std::printf("%-20s %-40s %-22s %s\n", pair.kind.c_str(), pair.what.c_str(), reported.c_str(),
                twin.c_str());
    CHECK(reported == pair.kind);
    CHECK(twin == "none");
  }
}
