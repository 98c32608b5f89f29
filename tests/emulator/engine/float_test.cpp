// Floating point against the host's arithmetic. NaN results only have to be NaN.
#include <doctest/doctest.h>

#include <cfenv>
#include <cmath>
#include <functional>

#include "emulator/ops/half_values.hpp"
#include "lane_kernel.hpp"

using namespace emulator_test;

namespace {

bool same(float got, float want) {
  if (std::isnan(want)) return std::isnan(got);
  return std::bit_cast<std::uint32_t>(got) == std::bit_cast<std::uint32_t>(want);
}

float flush(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }

float rounded(int mode, const std::function<float()>& compute) {
  std::fesetround(mode);
  const float result = compute();
  std::fesetround(FE_TONEAREST);
  return result;
}

float smaller(float a, float b) {
  if (std::isnan(a)) return b;
  if (std::isnan(b)) return a;
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

struct Case {
  std::string text;
  std::function<float(float, float, float)> model;
};

}  // namespace

TEST_CASE("f32 arithmetic") {
  const Case cases[] = {
      {"add.f32 %d, %a0, %a1;", [](float a, float b, float) { return a + b; }},
      {"sub.ftz.f32 %d, %a0, %a1;",
       [](float a, float b, float) { return flush(flush(a) - flush(b)); }},
      {"mul.f32 %d, %a0, %a1;", [](float a, float b, float) { return a * b; }},
      {"mul.rz.f32 %d, %a0, %a1;",
       [](float a, float b, float) {
         volatile float x = a, y = b;
         return rounded(FE_TOWARDZERO, [&] { return x * y; });
       }},
      {"fma.rn.f32 %d, %a0, %a1, %a2;",
       [](float a, float b, float c) { return std::fma(a, b, c); }},
      {"fma.rn.sat.f32 %d, %a0, %a1, %a2;",
       [](float a, float b, float c) {
         const float r = std::fma(a, b, c);
         return std::isnan(r) || r <= 0 ? 0.0f : r > 1 ? 1.0f : r;
       }},
      {"div.rn.f32 %d, %a0, %a1;", [](float a, float b, float) { return a / b; }},
      {"min.f32 %d, %a0, %a1;", [](float a, float b, float) { return smaller(a, b); }},
      {"max.f32 %d, %a0, %a1;", [](float a, float b, float) { return -smaller(-a, -b); }},
      {"max.NaN.f32 %d, %a0, %a1;",
       [](float a, float b, float) {
         return std::isnan(a) || std::isnan(b) ? NAN : -smaller(-a, -b);
       }},
      {"neg.f32 %d, %a0;", [](float a, float, float) { return -a; }},
      {"abs.f32 %d, %a0;", [](float a, float, float) { return std::fabs(a); }},
      {"copysign.f32 %d, %a0, %a1;", [](float a, float b, float) { return std::copysign(b, a); }},
      {"rcp.rn.f32 %d, %a0;", [](float a, float, float) { return 1 / a; }},
      {"sqrt.rn.f32 %d, %a0;", [](float a, float, float) { return std::sqrt(a); }},
      {"setp.ltu.f32 %p0, %a0, %a1; selp.f32 %d, %a0, 0f40000000, %p0;",
       [](float a, float b, float) { return !(a >= b) ? a : 2.0f; }},
      {"setp.ge.f32 %p0, %a0, %a1; selp.f32 %d, 1.0, 2.0, %p0;",
       [](float a, float b, float) { return a >= b ? 1.0f : 2.0f; }},
      {"testp.subnormal.f32 %p0, %a0; selp.f32 %d, 1.0, 2.0, %p0;",
       [](float a, float, float) { return std::fpclassify(a) == FP_SUBNORMAL ? 1.0f : 2.0f; }},
      {"set.gt.f32.f32 %d, %a0, %a1;", [](float a, float b, float) { return a > b ? 1.0f : 0.0f; }},
  };
  for (const unsigned threads : {32u, 19u}) {
    for (const Case& each : cases) {
      CAPTURE(each.text);
      for (unsigned seed = 1; seed < 4; ++seed) {
        const Lanes a = floats(seed), b = floats(seed + 10), c = floats(seed + 20);
        const LaneResults got = run_lanes(each.text, a, b, c, threads);
        for (unsigned lane = 0; lane < threads; ++lane) {
          const float want = each.model(as_float(a[lane]), as_float(b[lane]), as_float(c[lane]));
          CAPTURE(lane);
          CAPTURE(as_float(a[lane]));
          CAPTURE(as_float(b[lane]));
          CAPTURE(as_float(got.d[lane]));
          REQUIRE(same(as_float(got.d[lane]), want));
        }
      }
    }
  }
}

TEST_CASE("approximate functions stay within their promised error") {
  struct Approximate {
    std::string text;
    std::function<double(double)> model;
    double relative;
  };
  const Approximate cases[] = {
      {"ex2.approx.f32 %d, %a0;", [](double a) { return std::exp2(a); }, 3e-7},
      {"ex2.approx.ftz.f32 %d, %a0;", [](double a) { return std::exp2(a); }, 3e-7},
      {"tanh.approx.f32 %d, %a0;", [](double a) { return std::tanh(a); }, 5e-4},
      {"sin.approx.f32 %d, %a0;", [](double a) { return std::sin(a); }, 1e-6},
      {"rsqrt.approx.f32 %d, %a0;", [](double a) { return 1 / std::sqrt(a); }, 1e-6},
      {"lg2.approx.f32 %d, %a0;", [](double a) { return std::log2(a); }, 1e-6},
  };
  for (const unsigned threads : {32u, 19u}) {
    for (const Approximate& each : cases) {
      CAPTURE(each.text);
      const Lanes a = floats(3, false);
      const LaneResults got = run_lanes(each.text, a, {}, {}, threads);
      for (unsigned lane = 0; lane < threads; ++lane) {
        const double want = each.model(as_float(a[lane])), value = as_float(got.d[lane]);
        CAPTURE(as_float(a[lane]));
        if (std::isnan(want)) {
          CHECK(std::isnan(value));
        } else {
          CHECK(std::fabs(value - want) <= each.relative * std::fabs(want) + 1e-30);
        }
      }
    }
  }
  Lanes edges{};
  const float given[] = {-INFINITY, INFINITY, NAN, -1e30f, 200.0f, -140.0f, -160.0f, 0.0f};
  for (unsigned k = 0; k < 8; ++k) edges[k] = std::bit_cast<std::uint32_t>(given[k]);
  for (const unsigned threads : {32u, 19u}) {
    const LaneResults got = run_lanes("ex2.approx.f32 %d, %a0;", edges, {}, {}, threads);
    CHECK(as_float(got.d[0]) == 0.0f);
    CHECK(std::isinf(as_float(got.d[1])));
    CHECK(std::isnan(as_float(got.d[2])));
    CHECK(as_float(got.d[3]) == 0.0f);
    CHECK(std::isinf(as_float(got.d[4])));
    CHECK(as_float(got.d[5]) == doctest::Approx(std::exp2(-140.0)).epsilon(1e-4));
    CHECK(as_float(got.d[6]) == 0.0f);
    CHECK(as_float(got.d[7]) == 1.0f);
  }
}

TEST_CASE("16-bit arithmetic rounds once") {
  struct Half {
    std::string operation;
    std::function<double(double, double, double)> model;
    int sources;
  };
  const Half cases[] = {
      {"add", [](double a, double b, double) { return a + b; }, 2},
      {"mul", [](double a, double b, double) { return a * b; }, 2},
      {"fma.rn", [](double a, double b, double c) { return a * b + c; }, 3},
  };
  std::mt19937 random(5);
  for (const bool brain : {false, true}) {
    for (const Half& each : cases) {
      const std::string text = std::string(each.operation) + (brain ? ".bf16x2" : ".f16x2") +
                               " %d, %a0, %a1" + (each.sources == 3 ? ", %a2;" : ";");
      if (brain && each.sources == 2) continue;  // sm_80 has only fma for bf16
      CAPTURE(text);
      Lanes in[3];
      std::normal_distribution<float> normal(0.0f, 3.0f);
      for (Lanes& lanes : in) {
        for (auto& lane : lanes) {
          lane = narrow_half(normal(random), brain) | narrow_half(normal(random) * 1e-4f, brain)
                                                          << 16;
        }
      }
      const LaneResults got = run_lanes(text, in[0], in[1], in[2]);
      for (unsigned lane = 0; lane < 32; ++lane) {
        for (unsigned shift = 0; shift <= 16; shift += 16) {
          const auto part = [&](unsigned k) {
            return double{widen_half(static_cast<std::uint32_t>(in[k][lane] >> shift), brain)};
          };
          // These sums are exact in f64, and f64 -> f32 -> 16 bits only matters in ties.
          const double exact = each.model(part(0), part(1), part(2));
          const float value = widen_half(got.d[lane] >> shift, brain);
          const float next = widen_half((got.d[lane] >> shift) + 1, brain);
          const float before = widen_half((got.d[lane] >> shift) - 1, brain);
          for (const float other : {next, before}) {
            if (!std::isnan(other))
              CHECK(std::fabs(value - exact) <= std::fabs(other - exact) + 1e-12);
          }
        }
      }
    }
  }
}
