// Loads and stores of every width and space, vectors, constants, local arrays, atomics.
#include <doctest/doctest.h>

#include "lane_kernel.hpp"

using namespace emulator_test;

TEST_CASE("narrow loads extend by their type, into registers of any width") {
  const Lanes a = awkward(3);
  for (const unsigned threads : {32u, 19u}) {
    const LaneResults got = run_lanes(
        "ld.global.s8 %d, [%in]; ld.global.u8 %t0, [%in+1]; ld.global.s16 %t1, [%in+2];"
        "ld.global.s32 %ld, [%in]; add.u32 %d, %d, %t0; add.u32 %d, %d, %t1;",
        a, {}, {}, threads);
    for (unsigned lane = 0; lane < threads; ++lane) {
      const std::uint64_t x = a[lane];
      const std::int32_t want = std::int8_t(x) + int(std::uint8_t(x >> 8)) + std::int16_t(x >> 16);
      CHECK(std::int32_t(got.d[lane]) == want);
      CHECK(std::int64_t(got.ld[lane]) == std::int32_t(x));
    }
  }
}

TEST_CASE("vectors, shared memory and generic addresses") {
  const std::string text = R"(
  mov.u32 %t0, buffer;
  mad.lo.u32 %t0, %lane, 16, %t0;
  st.shared.v2.b64 [%t0], {%l0, %l1};
  bar.warp.sync -1;
  xor.b32 %t1, %lane, 1;
  mov.u32 %t2, buffer;
  mad.lo.u32 %t2, %t1, 16, %t2;
  ld.shared.v4.u32 {%t3, %t4, _, %t5}, [%t2];
  cvt.u64.u32 %lt1, %t2;
  cvta.shared.u64 %lt1, %lt1;
  ld.u64 %ld, [%lt1+8];
  xor.b32 %d, %t3, %t4;
  xor.b32 %d, %d, %t5;
)";
  const Lanes a = awkward(1), b = awkward(2);
  const LaneResults got = run_lanes(text, a, b, {}, 32, ".shared .align 16 .b8 buffer[512];", true);
  CHECK(got.report.faults.empty());
  for (unsigned lane = 0; lane < 32; ++lane) {
    const std::uint64_t x = a[lane ^ 1], y = b[lane ^ 1];
    CHECK(got.d[lane] ==
          std::uint32_t(std::uint32_t(x) ^ std::uint32_t(x >> 32) ^ std::uint32_t(y >> 32)));
    CHECK(got.ld[lane] == y);
  }
}

TEST_CASE("constants, initialised globals and local arrays") {
  const std::string before =
      ".const .align 4 .u32 table[4] = {10, 20, 30, 40};\n.global .align 8 .u64 pointer = table;\n"
      ".global .align 4 .f32 half = 0f3F000000;\n";
  const std::string text = R"(
  .local .align 8 .b8 stack[32];
  and.b32 %t0, %lane, 3;
  mul.wide.u32 %lt0, %t0, 4;
  ld.global.u64 %lt1, [pointer];
  add.s64 %lt1, %lt1, %lt0;
  ld.const.u32 %d, [%lt1];
  mov.u64 %lt2, stack;
  st.local.u32 [%lt2+8], %lane;
  cvta.local.u64 %lt2, %lt2;
  ld.u32 %t1, [%lt2+8];
  ld.global.u32 %t2, [half];
  mov.b64 %ld, {%t1, %t2};
)";
  const LaneResults got = run_lanes(text, {}, {}, {}, 32, before);
  CHECK(got.report.faults.empty());
  for (unsigned lane = 0; lane < 32; ++lane) {
    CHECK(got.d[lane] == 10 * (lane % 4 + 1));
    CHECK(got.ld[lane] == (0x3f00000000000000ull | lane));
  }
}

TEST_CASE("atomics return the old value and lose nothing between host threads") {
  const std::string text = R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry count(.param .u64 out)
{
  .reg .b64 %o, %old, %v;
  .reg .b32 %t<8>;
  .shared .align 4 .u32 local_sum;
  ld.param.u64 %o, [out];
  red.global.add.u32 [%o], 1;
  atom.global.add.u64 %old, [%o+8], 3;
  mov.f32 %t0, 0f3F800000;
  red.global.add.f32 [%o+16], %t0;
  mov.u32 %t1, %tid.x;
  atom.global.max.s32 %t2, [%o+20], %t1;
  mov.b32 %t3, 0x3C003C00;
  red.global.add.noftz.f16x2 [%o+24], %t3;
  atom.global.inc.u32 %t4, [%o+28], 6;
  atom.global.or.b32 %t4, [%o+32], %t1;
  mov.u32 %t5, local_sum;
  atom.shared.exch.b32 %t6, [%t5], 0;
  bar.sync 0;
  atom.shared.add.u32 %t6, [%t5], 2;
  bar.sync 0;
  ld.shared.u32 %t7, [local_sum];
  atom.global.cas.b32 %t6, [%o+36], 0, %t7;
  ret;
}
)";
  Memory memory(std::size_t{1} << 30);
  const auto module = Module::load(text, memory);
  const std::uint64_t out = memory.allocate(64);
  std::memset(reinterpret_cast<void*>(out), 0, 64);
  memory.mark_initialized(out, 64);
  Launch launch;
  launch.grid.x = 16;
  launch.block.x = 64;
  launch.parameters = pointer_parameters({out});
  Options options;
  options.detectors = false;
  options.threads = 4;
  const Report report = run(module->kernels().at("count"), launch, memory, options);
  CHECK(report.faults.empty());
  const auto word = [&](unsigned at) {
    std::uint32_t value;
    std::memcpy(&value, reinterpret_cast<void*>(out + at), 4);
    return value;
  };
  CHECK(word(0) == 1024);
  CHECK(word(8) == 3072);
  CHECK(as_float(word(16)) == 1024.0f);
  CHECK(word(20) == 63);
  CHECK(word(24) == 0x64006400);  // 1024 as f16, twice
  CHECK(word(28) == 1024 % 7);
  CHECK(word(32) == 63);
  CHECK(word(36) == 128);
}

TEST_CASE("f32 sums by atomics flush subnormals in global memory and keep them in shared memory") {
  const std::string before =
      ".global .align 4 .f32 sum = 0f00000001;\n.shared .align 4 .f32 kept;\n";
  const auto got = run_lanes(R"(
  st.shared.u32 [kept], 1;
  atom.global.add.f32 %t0, [sum], 0f00000002;
  atom.shared.add.f32 %t1, [kept], 0f00000002;
  ld.global.u32 %t2, [sum];
  ld.shared.u32 %d, [kept];
  cvt.u64.u32 %ld, %t2;
)",
                             {}, {}, {}, 1, before);
  CHECK(got.ld[0] == 0);
  CHECK(got.d[0] == 3);
}
