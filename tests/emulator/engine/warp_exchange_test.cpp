// shfl, vote, match, redux, elect, and collectives inside divergent code.
#include <doctest/doctest.h>

#include "lane_kernel.hpp"

using namespace emulator_test;

namespace {

struct Source {
  unsigned lane;
  bool inside;
};

Source shuffled(const std::string& mode, unsigned lane, unsigned b, unsigned c) {
  const int segment = (c >> 8) & 31, clamp = c & 31, l = static_cast<int>(lane), amount = b & 31;
  const int first = l & segment, last = first | (clamp & ~segment);
  int from = l;
  bool inside = false;
  if (mode == "up") from = l - amount, inside = from >= last;
  if (mode == "down") from = l + amount, inside = from <= last;
  if (mode == "bfly") from = l ^ amount, inside = from <= last;
  if (mode == "idx") from = first | (amount & ~segment), inside = from <= last;
  return {static_cast<unsigned>(inside ? from : l) & 31, inside};
}

}  // namespace

TEST_CASE("shuffles") {
  const Lanes a = awkward(1);
  for (const std::string mode : {"up", "down", "bfly", "idx"}) {
    for (const unsigned amount : {0u, 1u, 5u, 16u, 31u}) {
      for (const unsigned control : {0x1fu, 0u, 0x1803u, 0x1007u}) {
        CAPTURE(mode);
        CAPTURE(amount);
        CAPTURE(control);
        const std::string text = "shfl.sync." + mode + ".b32 %d|%p0, %a0, " +
                                 std::to_string(amount) + ", " + std::to_string(control) +
                                 ", -1; selp.u32 %t0, 1, 0, %p0; cvt.u64.u32 %ld, %t0;";
        const LaneResults got = run_lanes(text, a);
        for (unsigned lane = 0; lane < 32; ++lane) {
          const Source want = shuffled(mode, lane, amount, control);
          CHECK(got.d[lane] == static_cast<std::uint32_t>(a[want.lane]));
          CHECK(got.ld[lane] == want.inside);
        }
      }
    }
  }
}

TEST_CASE("shuffles of half a warp, whose halves come at different times") {
  const std::string text = R"(
  setp.lt.u32 %p0, %lane, 16;
  @%p0 bra LOW;
  shfl.sync.bfly.b32 %d, %a0, 1, 31, 0xffff0000;
  bra JOIN;
LOW:
  shfl.sync.bfly.b32 %d, %a0, 2, 31, 0x0000ffff;
JOIN:
)";
  const Lanes a = awkward(2);
  const LaneResults got = run_lanes(text, a, {}, {}, 32, "", true);
  CHECK(got.report.faults.empty());
  for (unsigned lane = 0; lane < 32; ++lane) {
    CHECK(got.d[lane] == static_cast<std::uint32_t>(a[lane ^ (lane < 16 ? 2 : 1)]));
  }
}

TEST_CASE("votes, reductions and matches") {
  Lanes a{};
  for (unsigned lane = 0; lane < 32; ++lane) a[lane] = lane % 5;
  for (const unsigned threads : {32u, 19u}) {
    const std::string members = threads == 32 ? "-1" : "0x7ffff";
    const LaneResults votes = run_lanes(
        "setp.gt.u32 %p0, %a0, 2; vote.sync.ballot.b32 %d, %p0, " + members +
            "; vote.sync.any.pred %p1, !%p0, " + members + "; vote.sync.all.pred %p2, %p0, " +
            members +
            "; selp.u32 %t0, 1, 0, %p1; selp.u32 %t1, 1, 0, %p2; mov.b64 %ld, {%t0, %t1};",
        a, {}, {}, threads);
    const LaneResults sums =
        run_lanes("redux.sync.add.s32 %d, %a0, " + members + "; redux.sync.max.u32 %t0, %a0, " +
                      members + "; cvt.u64.u32 %ld, %t0;",
                  a, {}, {}, threads);
    const LaneResults matches =
        run_lanes("match.any.sync.b32 %d, %a0, " + members + ";", a, {}, {}, threads);
    const LaneResults leader = run_lanes(
        "elect.sync %d|%p0, " + members + "; selp.u32 %t0, 1, 0, %p0; cvt.u64.u32 %ld, %t0;", a, {},
        {}, threads);
    std::uint32_t ballot = 0, sum = 0;
    for (unsigned lane = 0; lane < threads; ++lane) {
      ballot |= std::uint32_t{a[lane] > 2} << lane;
      sum += static_cast<std::uint32_t>(a[lane]);
    }
    for (unsigned lane = 0; lane < threads; ++lane) {
      std::uint32_t equal = 0;
      for (unsigned other = 0; other < threads; ++other)
        equal |= std::uint32_t{a[other] == a[lane]} << other;
      CHECK(votes.d[lane] == ballot);
      CHECK(votes.ld[lane] == 1);
      CHECK(sums.d[lane] == sum);
      CHECK(sums.ld[lane] == 4);
      CHECK(matches.d[lane] == equal);
      CHECK(leader.d[lane] == 0);
      CHECK(leader.ld[lane] == (lane == 0));
    }
  }
}
