// cvt: limits, rounding, saturation, the 16-bit types; and cvta with isspacep.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "emulator/ops/half_values.hpp"
#include "lane_kernel.hpp"

using namespace emulator_test;

namespace {

template <class T>
T limited(double value) {
  if (std::isnan(value)) return 0;
  const double low = static_cast<double>(std::numeric_limits<T>::min());
  const double high = static_cast<double>(std::numeric_limits<T>::max());
  return value <= low    ? std::numeric_limits<T>::min()
         : value >= high ? std::numeric_limits<T>::max()
                         : static_cast<T>(value);
}

struct Case {
  std::string text;
  std::function<std::uint32_t(float)> model;
};

}  // namespace

TEST_CASE("f32 to integers and back") {
  const Case cases[] = {
      {"cvt.rzi.s32.f32 %d, %a0;",
       [](float a) { return std::uint32_t(limited<std::int32_t>(std::trunc(a))); }},
      {"cvt.rni.s32.f32 %d, %a0;",
       [](float a) { return std::uint32_t(limited<std::int32_t>(std::nearbyint(a))); }},
      {"cvt.rmi.s32.f32 %d, %a0;",
       [](float a) { return std::uint32_t(limited<std::int32_t>(std::floor(a))); }},
      {"cvt.rpi.u32.f32 %d, %a0;", [](float a) { return limited<std::uint32_t>(std::ceil(a)); }},
      {"cvt.rzi.s8.f32 %d, %a0;",
       [](float a) { return std::uint32_t(std::int32_t(limited<std::int8_t>(std::trunc(a)))); }},
      {"cvt.rzi.f32.f32 %d, %a0;",
       [](float a) { return std::bit_cast<std::uint32_t>(std::trunc(a)); }},
      {"cvt.sat.f32.f32 %d, %a0;",
       [](float a) {
         return std::bit_cast<std::uint32_t>(std::isnan(a) || a <= 0 ? 0.0f : a > 1 ? 1.0f : a);
       }},
      {"cvt.rn.f16.f32 %h0, %a0; cvt.u32.u16 %d, %h0;",
       [](float a) { return narrow_half(a, false); }},
      {"cvt.rn.bf16.f32 %h0, %a0; cvt.u32.u16 %d, %h0;",
       [](float a) { return narrow_half(a, true); }},
      {"cvt.rn.bf16x2.f32 %d, %a0, %a0;", [](float a) { return narrow_half(a, true) * 0x10001u; }},
      {"cvt.rn.f16x2.f32 %d, 0f3f800000, %a0;",
       [](float a) { return narrow_half(a, false) | 0x3c000000u; }},
  };
  for (const unsigned threads : {32u, 19u}) {
    for (const Case& each : cases) {
      CAPTURE(each.text);
      for (unsigned seed = 1; seed < 6; ++seed) {
        const Lanes a = floats(seed);
        const LaneResults got = run_lanes(each.text, a, {}, {}, threads);
        for (unsigned lane = 0; lane < threads; ++lane) {
          const float value = as_float(a[lane]);
          CAPTURE(value);
          const std::uint32_t want = each.model(value);
          if (std::isnan(value) && std::string(each.text).find("f32.f32") != std::string::npos) {
            CHECK((std::isnan(as_float(got.d[lane])) || got.d[lane] == want));
          } else {
            CHECK(got.d[lane] == want);
          }
        }
      }
    }
  }
}

TEST_CASE("16-bit floats widen exactly, whatever their bits") {
  for (unsigned base = 0; base < 65536; base += 1024 + 7) {
    Lanes a;
    for (unsigned lane = 0; lane < 32; ++lane) a[lane] = (base + 33 * lane) & 0xffff;
    const LaneResults half = run_lanes("cvt.u16.u32 %h0, %a0; cvt.f32.f16 %d, %h0;", a);
    for (unsigned lane = 0; lane < 32; ++lane) {
      const float want = widen_half(static_cast<std::uint32_t>(a[lane]), false);
      if (std::isnan(want)) {
        CHECK(std::isnan(as_float(half.d[lane])));
      } else {
        CHECK(as_float(half.d[lane]) == want);
      }
    }
  }
}

TEST_CASE("integers narrow, saturate and widen by their own type") {
  const Lanes a = awkward(4);
  const LaneResults truncated = run_lanes("cvt.s32.s8 %d, %a0; cvt.s64.s16 %ld, %a0;", a);
  const LaneResults limited_down =
      run_lanes("cvt.sat.s8.s32 %d, %a0; cvt.sat.u16.s64 %t0, %l0; cvt.u64.u32 %ld, %t0;", a);
  const LaneResults to_float = run_lanes("cvt.rn.f32.s32 %d, %a0; cvt.rn.f64.u64 %ld, %l0;", a);
  for (unsigned lane = 0; lane < 32; ++lane) {
    const std::uint64_t x = a[lane];
    CHECK(std::int32_t(truncated.d[lane]) == std::int8_t(x));
    CHECK(std::int64_t(truncated.ld[lane]) == std::int16_t(x));
    const std::int32_t narrow = std::int32_t(x);
    CHECK(std::int32_t(limited_down.d[lane]) == (narrow > 127    ? 127
                                                 : narrow < -128 ? -128
                                                                 : narrow));
    const std::int64_t wide = std::int64_t(x);
    CHECK(limited_down.ld[lane] == std::uint64_t(wide < 0 ? 0 : wide > 65535 ? 65535 : wide));
    CHECK(as_float(to_float.d[lane]) == float(narrow));
    CHECK(std::bit_cast<double>(to_float.ld[lane]) == double(x));
  }
}

TEST_CASE("generic addresses know their space") {
  const std::string text =
      "mov.u64 %lt0, buffer; cvta.shared.u64 %lt1, %lt0; isspacep.shared %p0, %lt1;"
      "isspacep.global %p1, %in; isspacep.global %p2, %lt1; cvta.to.shared.u64 %lt2, %lt1;"
      "setp.eq.and.u64 %p3, %lt2, %lt0, %p0; selp.u32 %d, 1, 0, %p3; @!%p1 mov.u32 %d, 2;"
      "@%p2 mov.u32 %d, 3; st.u32 [%lt1], 77; ld.shared.u32 %t0, [buffer]; cvt.u64.u32 %ld, %t0;";
  const LaneResults got = run_lanes(text, {}, {}, {}, 32, ".shared .align 4 .b8 buffer[64];");
  CHECK(got.report.faults.empty());
  CHECK(got.d[5] == 1);
  CHECK(got.ld[5] == 77);
}
