// mbarriers: counts and phases, what they order, and each misuse as one fault of one kind.
#include <doctest/doctest.h>

#include "lane_kernel.hpp"

using namespace emulator_test;

namespace {

struct Outcome {
  std::string kinds;
  std::string message;
  std::vector<std::uint32_t> out;
};

/// One block. %tid, %warp, %first (thread 0), %lead (lane 0 of its warp), %b: an mbarrier's
/// address; `data` is 64 shared words, %mine the address of this thread's; %d is what the thread
/// leaves.
Outcome play(const std::string& body, unsigned threads = 64) {
  const std::string text = R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry play(.param .u64 out)
{
  .shared .align 8 .b64 barrier[2];
  .shared .align 4 .b32 data[64];
  .reg .b32 %t<10>, %d, %tid, %warp, %b, %data, %mine, %other;
  .reg .b64 %out, %s<4>, %g;
  .reg .pred %p<4>, %first, %lead, %w0, %w1;
  ld.param.u64 %out, [out];
  mov.u32 %tid, %tid.x;
  shr.u32 %warp, %tid, 5;
  and.b32 %t0, %tid, 31;
  setp.eq.u32 %lead, %t0, 0;
  setp.eq.u32 %first, %tid, 0;
  setp.eq.u32 %w0, %warp, 0;
  setp.ne.u32 %w1, %warp, 0;
  mov.u32 %b, barrier;
  mov.u32 %data, data;
  shl.b32 %t1, %tid, 2;
  add.u32 %mine, %data, %t1;
  xor.b32 %t1, %t1, 128;
  add.u32 %other, %data, %t1;
  mov.u32 %d, 0;
)" + body + R"(
  mul.wide.u32 %g, %tid, 4;
  add.s64 %out, %out, %g;
  st.global.u32 [%out], %d;
  ret;
}
)";
  Memory memory(std::size_t{1} << 30);
  const auto module = Module::load(text, memory);
  const std::uint64_t words = memory.allocate(4 * threads);
  Launch launch;
  launch.block.x = threads;
  launch.parameters = pointer_parameters({words});
  Options options;
  options.threads = 1;
  options.step_limit = 100000000;
  Outcome outcome;
  // Without detectors first: the second launch finds what that one left in shared memory.
  for (const bool detectors : {false, true}) {
    options.detectors = detectors;
    const Report report = run(module->kernels().at("play"), launch, memory, options);
    outcome.kinds.clear();
    for (const Fault& fault : report.faults) {
      const std::string kind = name(fault.kind);
      if (outcome.kinds.find(kind) == std::string::npos) outcome.kinds += kind;
      outcome.message = fault.message;
    }
  }
  outcome.out.resize(threads);
  std::memcpy(outcome.out.data(), reinterpret_cast<void*>(words), 4 * threads);
  return outcome;
}

const std::string init = "@%first mbarrier.init.shared.b64 [%b], 64; bar.sync 0;\n";
const std::string arrive = "mbarrier.arrive.shared.b64 %s0, [%b];\n";
std::string wait(const std::string& name, const std::string& test = "") {
  const std::string form = test.empty() ? "mbarrier.test_wait.shared.b64 %p0, [%b], %s0;" : test;
  return name + ": " + form + " @!%p0 bra " + name + ";\n";
}
const std::string put = "st.shared.u32 [%mine], %tid;\n", get = "ld.shared.u32 %d, [%other];\n";

}  // namespace

TEST_CASE("arrivals and waits exchange what both sides wrote, phase after phase") {
  const Outcome once = play(init + put + arrive + wait("W") + get);
  CHECK(once.kinds == "");
  for (unsigned k = 0; k < 64; ++k) CHECK(once.out[k] == (k ^ 32));
  // Parities 0, 1 in turn; the second phase protects the second use of the words.
  const auto parity = [](int p) {
    return "mbarrier.test_wait.parity.shared::cta.b64 %p0, [%b], " + std::to_string(p) + ";";
  };
  const Outcome twice =
      play(init + put + arrive + wait("W", parity(0)) + get + arrive + wait("X", parity(1)) +
           "add.u32 %t2, %tid, 100; st.shared.u32 [%mine], %t2;\n" + arrive + wait("Y", parity(0)) +
           get);
  CHECK(twice.kinds == "");
  for (unsigned k = 0; k < 64; ++k) CHECK(twice.out[k] == (k ^ 32) + 100);
  // A fresh barrier has completed "the phase before": a wait on parity 1 passes.
  CHECK(play(init + wait("W", parity(1))).kinds == "");
  // Generic addresses, one arrival for many, a count read back from the state.
  const Outcome counted = play(
      "@%first mbarrier.init.shared.b64 [%b], 96; bar.sync 0;\n" + put +
      "cvt.u64.u32 %s1, %b; cvta.shared.u64 %s1, %s1; mov.u64 %s0, 0;\n"
      "@%w0 mbarrier.arrive.noComplete.b64 %s0, [%s1], 1; bar.sync 0;\n"
      "@%w1 mbarrier.arrive.b64 %s0, [%s1]; @%w1 mbarrier.arrive.shared.b64 _, [%b]; bar.sync 0;"
      "mbarrier.pending_count.b64 %d, %s0;\n");
  CHECK(counted.kinds == "");
  for (unsigned k = 0; k < 64; ++k) CHECK(counted.out[k] == 96 - k);
}

TEST_CASE("arrive_drop lowers what later phases expect") {
  const std::string text = init + "@%w0 mbarrier.arrive_drop.shared.b64 %s0, [%b]; @%w1 " + arrive +
                           wait("W") + put + "@%w1 " + arrive + "mov.u32 %t3, 0; @%w0 bra END;\n" +
                           wait("X") + "END: add.u32 %d, %t3, 7;\n";
  const Outcome outcome = play(text);
  CHECK(outcome.kinds == "");
  CHECK(outcome.out[63] == 7);
}

TEST_CASE("what no phase orders is a race") {
  CHECK(play(init + put + arrive + get).kinds == "data_race");              // no wait
  CHECK(play(init + arrive + put + wait("W") + get).kinds == "data_race");  // arrives too early
  // The second write of the words is ordered by no second phase.
  CHECK(play(init + put + arrive + wait("W") + get + "st.shared.u32 [%mine], 5;").kinds ==
        "data_race");
  // Without the barrier after init, another warp may arrive at what is no mbarrier yet.
  CHECK(play("@%first mbarrier.init.shared.b64 [%b], 64;\n" + arrive + wait("W")).kinds ==
        "data_race");
  // Arrivals of the next phase are not what a wait for this one acquires.
  CHECK(play("@%first mbarrier.init.shared.b64 [%b], 32; bar.sync 0; @%w1 bra LATE;\n" + arrive +
             "bar.sync 1; " + wait("W") + get + "bra END;\nLATE: bar.sync 1;\n" + put +
             "mov.u64 %s0, 0; @%lead mbarrier.arrive.shared.b64 _, [%b];\nEND:\n")
            .kinds == "data_race");
}

TEST_CASE("each misuse is one fault of one kind") {
  const auto misused = [](const std::string& text, const char* words) {
    const Outcome outcome = play(text);
    CAPTURE(outcome.message);
    CHECK(outcome.kinds == "divergent_barrier");
    CHECK(outcome.message.find(words) != std::string::npos);
  };
  misused(arrive, "no mbarrier was initialized");
  misused("mov.u64 %s0, 0;\n" + wait("W"), "no mbarrier was initialized");
  misused(init + "@%first mbarrier.inval.shared.b64 [%b]; bar.sync 0;\n" + arrive,
          "no mbarrier was initialized");
  misused(init + "@%first mbarrier.init.shared.b64 [%b], 64;\n", "must be invalidated first");
  misused("@%first mbarrier.init.shared.b64 [%b], 0;\n", "a count of 0");
  misused(init + "@%first mbarrier.arrive.shared.b64 _, [%b], 65;\n", "64 arrivals are pending");
  misused(init + "@%first mbarrier.arrive.noComplete.shared.b64 _, [%b], 64;\n",
          "64 arrivals are pending");
  misused(init + "mov.u64 %s0, 3;\n" + wait("W"), "none that an arrive gave");
  CHECK(play(init +
             "@%first mbarrier.inval.shared.b64 [%b]; bar.sync 0;\n"
             "@%first mbarrier.init.shared.b64 [%b], 64; bar.sync 0;\n" +
             put + arrive + wait("W") + get)
            .kinds == "");
  CHECK(play("add.u32 %b, %b, 4; @%first mbarrier.init.shared.b64 [%b], 64;\n").kinds ==
        "misaligned");
  CHECK(play("mov.u64 %s1, 64; @%first mbarrier.init.b64 [%s1], 64;\n").kinds == "out_of_bounds");
}

TEST_CASE("a phase that cannot complete is a deadlock, told with what is missing") {
  const Outcome outcome =
      play("@%first mbarrier.init.shared.b64 [%b], 65; bar.sync 0;\n" + arrive + wait("W"));
  CHECK(outcome.kinds == "deadlock");
  CHECK(outcome.message.find("1 arrivals pending") != std::string::npos);
  // One warp at a barrier for all, the other at an mbarrier that the first would have arrived at.
  CHECK(play(init + "@%w1 bra OTHER; bar.sync 1; bra END;\nOTHER: " + arrive + wait("W") +
             "bar.sync 1;\nEND:\n")
            .kinds == "deadlock");
}

TEST_CASE("what came with sm_90 is refused by name") {
  Memory memory(std::size_t{1} << 30);
  for (const std::string text : {"mbarrier.try_wait.parity.shared::cta.b64 %p0, [%t0], 0;",
                                 "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%t0], 16;",
                                 "cp.async.mbarrier.arrive.noinc.shared.b64 [%t0];",
                                 "mbarrier.arrive.shared.b32 %t1, [%t0];"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(Module::load(lane_kernel(text), memory), PtxError);
  }
}
