// cp.async: groups, late completion, zero fill, ignored sources, copies nobody waited for.
#include <doctest/doctest.h>

#include "lane_kernel.hpp"

using namespace emulator_test;

namespace {

const std::string buffer = ".shared .align 16 .b8 buffer[1536];";
const std::string addresses = "mov.u32 %t0, buffer; mad.lo.u32 %t0, %lane, 8, %t0;";

}  // namespace

TEST_CASE("a copy arrives at the wait that covers it and not before") {
  const std::string text = addresses + R"(
  st.shared.u64 [%t0], 1;
  st.shared.u64 [%t0+256], 2;
  cp.async.ca.shared.global [%t0], [%in], 8;
  cp.async.commit_group;
  cp.async.ca.shared.global [%t0+256], [%in+256], 8;
  cp.async.commit_group;
  cp.async.wait_group 1;
  ld.shared.u64 %ld, [%t0];
  ld.shared.u32 %d, [%t0+256];
  cp.async.wait_all;
)";
  const Lanes a = awkward(1), b = awkward(2);
  const LaneResults got = run_lanes(text, a, b, {}, 32, buffer);
  for (unsigned lane = 0; lane < 32; ++lane) {
    CHECK(got.ld[lane] == a[lane]);
    CHECK(got.d[lane] == 2);
  }
  CHECK(got.report.notes.empty());
}

TEST_CASE("groups are counted per lane") {
  // Odd lanes commit once more in between, so for them the first group is two commits back.
  const std::string text = addresses + R"(
  st.shared.u64 [%t0], 1;
  and.b32 %t1, %lane, 1;
  setp.eq.u32 %p0, %t1, 1;
  cp.async.ca.shared.global [%t0], [%in], 8;
  cp.async.commit_group;
  @%p0 cp.async.commit_group;
  cp.async.wait_group 1;
  ld.shared.u64 %ld, [%t0];
  cp.async.wait_group 0;
  ld.shared.u32 %d, [%t0];
)";
  const Lanes a = awkward(5);
  const LaneResults got = run_lanes(text, a, {}, {}, 32, buffer);
  for (unsigned lane = 0; lane < 32; ++lane) {
    CHECK(got.ld[lane] == (lane % 2 == 1 ? a[lane] : 1));
    CHECK(got.d[lane] == static_cast<std::uint32_t>(a[lane]));
  }
}

TEST_CASE("sizes, zero fill and ignored sources") {
  const std::string text = addresses + R"(
  st.shared.u64 [%t0], -1;
  st.shared.u64 [%t0+256], -1;
  setp.lt.u32 %p0, %lane, 4;
  min.u32 %t1, %lane, 8;
  mov.u64 %lt1, 0;
  selp.b64 %lt1, %lt1, %in, %p0;
  cp.async.ca.shared.global [%t0+256], [%lt1], 8, %p0;
  cp.async.ca.shared.global.L2::128B [%t0], [%in], 8, %t1;
  cp.async.commit_group;
  cp.async.wait_group 0;
  ld.shared.u64 %ld, [%t0];
  ld.shared.u32 %d, [%t0+256];
)";
  const Lanes a = awkward(6);
  const LaneResults got = run_lanes(text, a, {}, {}, 32, buffer);
  CHECK(got.report.faults.empty());
  for (unsigned lane = 0; lane < 32; ++lane) {
    const unsigned bytes = lane > 8 ? 8 : lane;
    const std::uint64_t mask =
        bytes == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * bytes)) - 1;
    CHECK(got.ld[lane] == (a[lane] & mask));
    CHECK(got.d[lane] == (lane < 4 ? 0 : static_cast<std::uint32_t>(a[lane])));
  }
}

TEST_CASE("copies that nobody waits for are noted, not lost") {
  const LaneResults got =
      run_lanes(addresses + "cp.async.ca.shared.global [%t0], [%in], 8;", {}, {}, {}, 32, buffer);
  CHECK(got.report.faults.empty());
  REQUIRE(got.report.notes.size() == 1);
  CHECK(got.report.notes[0].find("never waited") != std::string::npos);
}
