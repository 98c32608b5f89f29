// Divergence, reconvergence, loops with different trip counts, exits, brx.idx, barriers.
#include <doctest/doctest.h>

#include "lane_kernel.hpp"

using namespace emulator_test;

TEST_CASE("lanes that diverge meet again") {
  // Nested branches; activemask after the meeting point must be full.
  const std::string text = R"(
  and.b32 %t0, %lane, 1;
  setp.eq.u32 %p0, %t0, 0;
  @%p0 bra EVEN;
  setp.lt.u32 %p1, %lane, 16;
  @%p1 bra ODD_LOW;
  mov.u32 %d, 3;
  bra JOIN_ODD;
ODD_LOW:
  mov.u32 %d, 2;
JOIN_ODD:
  activemask.b32 %t1;
  bra JOIN;
EVEN:
  mov.u32 %d, 1;
  activemask.b32 %t1;
JOIN:
  activemask.b32 %t2;
  mov.b64 %ld, {%t1, %t2};
)";
  for (const unsigned threads : {32u, 20u}) {
    const LaneResults got = run_lanes(text, {}, {}, {}, threads);
    const std::uint64_t all = threads == 32 ? 0xffffffffu : 0xfffffu;
    for (unsigned lane = 0; lane < threads; ++lane) {
      CHECK(got.d[lane] == (lane % 2 == 0 ? 1u : lane < 16 ? 2u : 3u));
      CHECK(got.ld[lane] == ((all << 32) | (all & (lane % 2 == 0 ? 0x55555555u : 0xaaaaaaaau))));
    }
  }
}

TEST_CASE("a loop with a trip count per lane") {
  const std::string text = R"(
  mov.u32 %t0, 0;
LOOP:
  add.u32 %d, %d, %t0;
  add.u32 %t0, %t0, 1;
  setp.le.u32 %p0, %t0, %lane;
  @%p0 bra LOOP;
  activemask.b32 %t1;
  cvt.u64.u32 %ld, %t1;
)";
  const LaneResults got = run_lanes(text);
  for (unsigned lane = 0; lane < 32; ++lane) {
    CHECK(got.d[lane] == lane * (lane + 1) / 2);
    CHECK(got.ld[lane] == 0xffffffffu);
  }
}

TEST_CASE("lanes that exit are not waited for") {
  const std::string text = R"(
  mov.u32 %d, 5;
  st.global.u32 [%out], %d;
  setp.gt.u32 %p0, %lane, 9;
  @%p0 exit;
  bar.sync 0;
  activemask.b32 %d;
)";
  const LaneResults got = run_lanes(text);
  CHECK(got.report.faults.empty());
  CHECK(got.d[3] == 0x3ff);
  CHECK(got.d[20] == 5);
}

TEST_CASE("brx.idx sends every lane to its own target") {
  const std::string text = R"(
  rem.u32 %t0, %lane, 3;
  brx.idx %t0, TARGETS;
TARGETS: .branchtargets A, B, C;
A:
  mov.u32 %d, 10;
  bra JOIN;
B:
  mov.u32 %d, 11;
  bra JOIN;
C:
  mov.u32 %d, 12;
JOIN:
  activemask.b32 %t1;
  cvt.u64.u32 %ld, %t1;
)";
  const LaneResults got = run_lanes(text);
  for (unsigned lane = 0; lane < 32; ++lane) {
    CHECK(got.d[lane] == 10 + lane % 3);
    CHECK(got.ld[lane] == 0xffffffffu);
  }
}

TEST_CASE("barriers order warps, reduce, and pair producers with consumers") {
  // Warp 0 waits at barrier 1 for warp 1, which only arrives; then all vote.
  const std::string text = R"(
  .reg .b32 %w;
  mov.u32 %w, %warpid;
  shl.b32 %t0, %lane, 2;
  mov.u32 %t1, buffer;
  add.u32 %t1, %t1, %t0;
  setp.eq.u32 %p0, %w, 1;
  @!%p0 bra WAIT;
  st.shared.u32 [%t1], %lane;
  bar.arrive 1, 64;
  bra DONE;
WAIT:
  bar.sync 1, 64;
  ld.shared.u32 %d, [%t1+128];
DONE:
  setp.lt.u32 %p1, %lane, 40;
  bar.red.popc.u32 %t2, 0, %p1;
  bar.red.and.pred %p2, 0, %p1;
  bar.red.or.pred %p3, 0, %p1;
  selp.u32 %t3, 1, 0, %p2;
  selp.u32 %t4, 1, 0, %p3;
  mad.lo.u32 %t3, %t4, 2, %t3;
  mov.b64 %ld, {%t2, %t3};
)";
  const std::string buffer = ".shared .align 4 .b8 buffer[512];";
  Memory memory(std::size_t{1} << 30);
  const auto module = Module::load(lane_kernel(text, buffer), memory);
  const std::uint64_t in = memory.allocate(4096), out = memory.allocate(4096);
  Launch launch;
  launch.block.x = 64;
  launch.parameters = pointer_parameters({in, out});
  memory.mark_initialized(in, 4096);
  Options options;
  options.detectors = false;
  const Report report = run(module->kernels().at("probe"), launch, memory, options);
  CHECK(report.faults.empty());
  CHECK(report.counters.barriers == 4);
  std::uint64_t ld = 0;
  std::uint32_t d = 0;
  std::memcpy(&ld, reinterpret_cast<void*>(out + 256 + 8 * 40), 8);
  CHECK((ld & 0xffffffff) == 40);
  CHECK((ld >> 32) == 2);
  std::memcpy(&d, reinterpret_cast<void*>(out + 8 * 7), 4);
  CHECK(d == 39);
}
