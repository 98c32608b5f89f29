// Faults the engine itself finds: bounds, alignment, traps, divergent barriers, deadlock, limits.
#include <doctest/doctest.h>

#include "lane_kernel.hpp"

using namespace emulator_test;

namespace {

Fault only_fault(const std::string& body, unsigned threads = 32, const std::string& before = "") {
  const LaneResults got = run_lanes(body, {}, {}, {}, threads, before);
  REQUIRE(got.report.faults.size() == 1);
  return got.report.faults[0];
}

bool mentions(const Fault& fault, const std::string& words) {
  CAPTURE(fault.message);
  return fault.message.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("an access outside is reported for the first lane and skipped") {
  const LaneResults got =
      run_lanes("setp.eq.u32 %p0, %lane, 7; selp.b64 %lt0, 0, %in, %p0; ld.global.u32 %d, [%lt0];");
  REQUIRE(got.report.faults.size() == 1);
  CHECK(got.report.faults[0].kind == FaultKind::out_of_bounds);
  CHECK(got.report.faults[0].thread.x == 7);
  CHECK(got.d[7] == 0xffffffffu);
  CHECK(got.d[8] == 0);
  CHECK(only_fault("st.global.u32 [%out+1024], %d;").kind == FaultKind::out_of_bounds);
  CHECK(only_fault("ld.global.u16 %t0, [%in+1];").kind == FaultKind::misaligned);
  const std::string buffer = ".shared .align 16 .b8 buffer[64];";
  CHECK(mentions(
      only_fault("mov.u32 %t0, buffer; mad.lo.u32 %t0, %lane, 4, %t0; ld.shared.u32 %d, [%t0];", 32,
                 buffer),
      "shared"));
  CHECK(only_fault("ld.shared.u32 %d, [0];").kind == FaultKind::out_of_bounds);
  CHECK(only_fault("mov.u32 %t0, buffer; ld.shared.v2.u32 {%d, %t1}, [%t0+4];", 32, buffer).kind ==
        FaultKind::misaligned);
  CHECK(only_fault("atom.global.add.u32 %d, [%out+4096], 1;").kind == FaultKind::out_of_bounds);
}

TEST_CASE("trap ends the launch") {
  const Fault fault = only_fault("setp.eq.u32 %p0, %lane, 3; @%p0 trap;");
  CHECK(fault.kind == FaultKind::trap);
  CHECK(fault.thread.x == 3);
}

TEST_CASE("part of a warp at a barrier") {
  const Fault fault =
      only_fault("setp.lt.u32 %p0, %lane, 8; @!%p0 bra SKIP; bar.sync 0; SKIP: mov.u32 %d, 1;");
  CHECK(fault.kind == FaultKind::divergent_barrier);
  CHECK(mentions(fault, "0x000000ff"));
}

TEST_CASE("an exchange whose lanes never come") {
  const Fault fault = only_fault(
      "setp.lt.u32 %p0, %lane, 8; @!%p0 bra SKIP; shfl.sync.idx.b32 %d, %a0, 0, 31, -1; SKIP: "
      "mov.u32 %t0, 1;");
  CHECK(fault.kind == FaultKind::divergent_barrier);
  CHECK(mentions(fault, "shfl.sync"));
}

TEST_CASE("warps that wait for each other") {
  const Fault fault = only_fault(
      "mov.u32 %t0, %warpid; setp.eq.u32 %p0, %t0, 0; @%p0 bra ONE; bar.sync 2, 64; bra DONE;"
      "ONE: bar.sync 1, 64; DONE: mov.u32 %d, 1;",
      64);
  CHECK(fault.kind == FaultKind::deadlock);
  CHECK(mentions(fault, "barrier 1"));
  CHECK(mentions(fault, "barrier 2"));
}

TEST_CASE("a loop without end meets the step limit") {
  const Fault fault = only_fault("FOREVER: add.u32 %d, %d, 1; bra FOREVER;");
  CHECK(fault.kind == FaultKind::step_limit);
  CHECK(mentions(fault, "1000000"));
}

TEST_CASE("lanes of one warp can wait for each other's stores") {
  // Lane 0 sets a flag after lane 1 started to spin on it: both must make progress.
  const std::string text = R"(
  mov.u32 %t0, flag;
  st.shared.u32 [%t0], 0;
  bar.sync 0;
  setp.eq.u32 %p0, %lane, 0;
  @%p0 bra SET;
SPIN:
  ld.volatile.shared.u32 %t1, [%t0];
  setp.eq.u32 %p1, %t1, 0;
  @%p1 bra SPIN;
  bra DONE;
SET:
  st.volatile.shared.u32 [%t0], 1;
DONE:
  mov.u32 %d, 4;
)";
  const LaneResults got = run_lanes(text, {}, {}, {}, 32, ".shared .align 4 .u32 flag;");
  CHECK(got.report.faults.empty());
  CHECK(got.d[17] == 4);
}
