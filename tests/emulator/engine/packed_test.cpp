// Rare integer and packed instructions against scalar models: SIMD video instructions, cvt.pack,
// prmt's modes, bit fields of 64 bits, dp2a, magnitudes; and 8-bit floats against a search for the
// nearest of their 256 values.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "emulator/ops/half_values.hpp"
#include "lane_kernel.hpp"

using namespace emulator_test;

namespace {

using u32 = std::uint32_t;
using s32 = std::int32_t;
using u64 = std::uint64_t;
using s64 = std::int64_t;

struct Narrow {
  std::string text;
  std::function<u32(u32, u32, u32)> model;
};

s64 part(u32 word, int index, int bits, bool sign) {
  const u32 value = word >> (index * bits) & ((1u << bits) - 1);
  return sign && (value >> (bits - 1)) != 0 ? s64(value) - (s64(1) << bits) : s64(value);
}

s64 limited(s64 value, int bits, bool sign) {
  const s64 high = sign ? (s64(1) << (bits - 1)) - 1 : (s64(1) << bits) - 1;
  return std::clamp(value, sign ? -high - 1 : s64(0), high);
}

/// Packed results, or with `sums` their sum plus c.
u32 simd(u32 a, u32 b, u32 c, int bits, bool sign, bool saturates, bool sums,
         const std::function<s64(s64, s64)>& each) {
  u32 packed = 0;
  for (int k = 0; k < 32 / bits; ++k) {
    s64 value = each(part(a, k, bits, sign), part(b, k, bits, sign));
    if (saturates) value = limited(value, bits, sign);
    packed |= (u32(value) & ((1u << bits) - 1)) << (k * bits);
    c += u32(value);
  }
  return sums ? c : packed;
}

u32 permuted(u32 a, u32 b, const u32 (&bytes)[4]) {
  u32 result = 0;
  for (int k = 0; k < 4; ++k) result |= u32((u64{b} << 32 | a) >> (8 * bytes[k]) & 255) << (8 * k);
  return result;
}

void check(const std::vector<Narrow>& cases) {
  for (const unsigned threads : {32u, 19u}) {
    for (const Narrow& each : cases) {
      CAPTURE(each.text);
      for (unsigned seed = 1; seed < 5; ++seed) {
        const Lanes a = awkward(seed), b = awkward(seed + 10), c = awkward(seed + 20);
        const LaneResults got = run_lanes(each.text, a, b, c, threads);
        for (unsigned lane = 0; lane < threads; ++lane) {
          CAPTURE(lane);
          REQUIRE(got.d[lane] == each.model(u32(a[lane]), u32(b[lane]), u32(c[lane])));
        }
      }
    }
  }
}

const auto add = [](s64 a, s64 b) { return a + b; };
const auto subtract = [](s64 a, s64 b) { return a - b; };
const auto distance = [](s64 a, s64 b) { return a > b ? a - b : b - a; };
const auto least = [](s64 a, s64 b) { return std::min(a, b); };
const auto most = [](s64 a, s64 b) { return std::max(a, b); };

double fp8(unsigned byte, bool e5m2) {
  const int exponent = e5m2 ? byte >> 2 & 31 : byte >> 3 & 15, fraction = byte & (e5m2 ? 3 : 7);
  const int bits = e5m2 ? 2 : 3, bias = e5m2 ? 15 : 7;
  const bool special = e5m2 ? exponent == 31 : (byte & 127) == 127;
  double value = special         ? (e5m2 && fraction == 0 ? INFINITY : NAN)
                 : exponent == 0 ? std::ldexp(fraction, 1 - bias - bits)
                                 : std::ldexp((1 << bits) + fraction, exponent - bias - bits);
  return (byte & 128) != 0 ? -value : value;
}

/// The nearest finite value, ties to the even pattern; NaN is 0x7f.
unsigned nearest_fp8(double value, bool e5m2) {
  if (std::isnan(value)) return 0x7f;
  const double magnitude = std::min(std::fabs(value), 1e6);  // beyond every finite value
  unsigned best = 0;
  double error = INFINITY;
  for (unsigned byte = 0; byte < 128; ++byte) {
    const double candidate = fp8(byte, e5m2);
    if (!std::isfinite(candidate)) continue;
    const double off = std::fabs(magnitude - candidate);
    if (off < error || (off == error && byte % 2 == 0)) best = byte, error = off;
  }
  return best | (std::signbit(value) ? 128 : 0);
}

}  // namespace

TEST_CASE("SIMD video instructions") {
  check({
      {"vadd4.u32.u32.u32 %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) { return simd(a, b, c, 8, false, false, false, add); }},
      {"vadd4.s32.s32.s32.sat %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) { return simd(a, b, c, 8, true, true, false, add); }},
      {"vsub2.s32.s32.s32.sat %d, %a0, %a1, 0;",
       [](u32 a, u32 b, u32) { return simd(a, b, 0, 16, true, true, false, subtract); }},
      {"vabsdiff4.u32.u32.u32.add %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) { return simd(a, b, c, 8, false, false, true, distance); }},
      {"vabsdiff2.s32.s32.s32 %d, %a0, %a1, 0;",
       [](u32 a, u32 b, u32) { return simd(a, b, 0, 16, true, false, false, distance); }},
      {"vmin4.s32.s32.s32 %d, %a0, %a1, 0;",
       [](u32 a, u32 b, u32) { return simd(a, b, 0, 8, true, false, false, least); }},
      {"vmax2.u32.u32.u32 %d, %a0, %a1, 0;",
       [](u32 a, u32 b, u32) { return simd(a, b, 0, 16, false, false, false, most); }},
      {"vavrg4.u32.u32.u32 %d, %a0, %a1, 0;",
       [](u32 a, u32 b, u32) {
         return simd(a, b, 0, 8, false, false, false, [](s64 x, s64 y) { return (x + y + 1) / 2; });
       }},
  });
}

TEST_CASE("packing conversions, permutations, and the rest of the bit instructions") {
  check({
      {"cvt.pack.sat.s16.s32 %d, %a0, %a1;",
       [](u32 a, u32 b, u32) {
         return u32(limited(s32(a), 16, true)) << 16 | (u32(limited(s32(b), 16, true)) & 0xffff);
       }},
      {"cvt.pack.sat.u8.s32.b32 %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) {
         return c << 16 | u32(limited(s32(a), 8, false)) << 8 | u32(limited(s32(b), 8, false));
       }},
      {"cvt.pack.sat.s4.s32.b32 %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) {
         return c << 8 | (u32(limited(s32(a), 4, true)) & 15) << 4 |
                (u32(limited(s32(b), 4, true)) & 15);
       }},
      {"prmt.b32.f4e %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) {
         const u32 s = c & 3;
         return permuted(a, b, {s, s + 1, s + 2, s + 3});
       }},
      {"prmt.b32.b4e %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) {
         const u32 s = c & 3;
         return permuted(a, b, {s, (s + 7) % 8, (s + 6) % 8, (s + 5) % 8});
       }},
      {"prmt.b32.rc8 %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) {
         const u32 s = c & 3;
         return permuted(a, b, {s, s, s, s});
       }},
      {"prmt.b32.ecl %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) {
         const u32 s = c & 3;
         return permuted(a, b, {s, std::max(s, 1u), std::max(s, 2u), 3});
       }},
      {"prmt.b32.ecr %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) {
         const u32 s = c & 3;
         return permuted(a, b, {0, std::min(s, 1u), std::min(s, 2u), s});
       }},
      {"prmt.b32.rc16 %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) {
         const u32 s = 2 * (c & 1);
         return permuted(a, b, {s, s + 1, s, s + 1});
       }},
      {"bfind.shiftamt.u32 %d, %a0;",
       [](u32 a, u32, u32) { return a == 0 ? ~0u : u32(__builtin_clz(a)); }},
      {"bfind.s32 %d, %a0;",
       [](u32 a, u32, u32) {
         const u32 word = s32(a) < 0 ? ~a : a;
         return word == 0 ? ~0u : 31u - u32(__builtin_clz(word));
       }},
      {"sad.s32 %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) { return c + u32(std::llabs(s64(s32(a)) - s32(b))); }},
      {"mul24.hi.u32 %d, %a0, %a1;",
       [](u32 a, u32 b, u32) { return u32(u64{a & 0xffffff} * (b & 0xffffff) >> 16); }},
      {"mad24.lo.s32 %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) { return u32(s64(s32(a << 8) >> 8) * (s32(b << 8) >> 8)) + c; }},
      {"dp2a.lo.s32.u32 %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) {
         return c + u32(part(a, 0, 16, true) * part(b, 0, 8, false) +
                        part(a, 1, 16, true) * part(b, 1, 8, false));
       }},
      {"dp2a.hi.u32.s32 %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) {
         return c + u32(part(a, 0, 16, false) * part(b, 2, 8, true) +
                        part(a, 1, 16, false) * part(b, 3, 8, true));
       }},
      {"mov.b64 %ld, {%a0, %a1}; bfe.u64 %ld, %ld, 20, 24; cvt.u32.u64 %d, %ld;",
       [](u32 a, u32 b, u32) { return u32((u64{b} << 32 | a) >> 20) & 0xffffff; }},
      {"mov.b64 %ld, {%a0, %a1}; bfe.s64 %ld, %ld, 20, 24; cvt.u32.u64 %d, %ld;",
       [](u32 a, u32 b, u32) { return u32(s64((u64{b} << 32 | a) << 20) >> 40); }},
      {"bmsk.clamp.b32 %d, 5, 9;", [](u32, u32, u32) { return 0x3fe0u; }},
      {"szext.wrap.s32 %d, %a0, 11;", [](u32 a, u32, u32) { return u32(s32(a << 21) >> 21); }},
      {"set.lt.and.s32.u32 %d, %a0, %a1, %p0;", [](u32, u32, u32) { return 0u; }},
      {"setp.eq.s32 %p0, 1, 1; set.ne.and.f32.s32 %d, %a0, %a1, %p0;",
       [](u32 a, u32 b, u32) { return a != b ? 0x3f800000u : 0u; }},
      {"slct.u32.f32 %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) { return as_float(c) >= 0 ? a : b; }},
      {"copysign.f32 %d, %a0, %a1;",
       [](u32 a, u32 b, u32) { return (a & 0x80000000u) | (b & 0x7fffffffu); }},
      {"testp.subnormal.f32 %p0, %a0; testp.finite.f32 %p1, %a0; selp.u32 %d, 1, 0, %p0; "
       "@%p1 add.u32 %d, %d, 2;",
       [](u32 a, u32, u32) {
         const float value = as_float(a);
         return u32(std::fpclassify(value) == FP_SUBNORMAL) + (std::isfinite(value) ? 2u : 0u);
       }},
  });
}

TEST_CASE("min and max of magnitudes take the product's sign") {
  for (const unsigned threads : {32u, 19u}) {
    for (const bool maximum : {false, true}) {
      const Lanes a = floats(3), b = floats(4);
      const std::string name = maximum ? "max" : "min";
      const LaneResults got = run_lanes(name + ".xorsign.abs.f32 %d, %a0, %a1;", a, b, {}, threads);
      const LaneResults halves =
          run_lanes("cvt.rn.bf16x2.f32 %t0, %a0, %a1; cvt.rn.bf16x2.f32 %t1, %a1, %a1; " + name +
                        ".xorsign.abs.bf16x2 %d, %t0, %t1;",
                    a, b, {}, threads);
      for (unsigned lane = 0; lane < threads; ++lane) {
        const auto model = [&](float x, float y) {
          const float value = maximum ? std::fmax(std::fabs(x), std::fabs(y))
                                      : std::fmin(std::fabs(x), std::fabs(y));
          return std::signbit(x) != std::signbit(y) ? -value : value;
        };
        const float x = as_float(a[lane]), y = as_float(b[lane]), want = model(x, y);
        CAPTURE(x);
        CAPTURE(y);
        CHECK((as_float(got.d[lane]) == want || std::isnan(want)));
        const float high =
            model(widen_half(narrow_half(x, true), true), widen_half(narrow_half(y, true), true));
        CHECK((widen_half(halves.d[lane] >> 16, true) == high || std::isnan(high)));
      }
    }
  }
}

TEST_CASE("8-bit floats: all values widen, all roundings are to the nearest") {
  for (const bool e5m2 : {false, true}) {
    const std::string type = e5m2 ? "e5m2x2" : "e4m3x2";
    CAPTURE(type);
    for (unsigned base = 0; base < 256; base += 64) {
      Lanes a;
      for (unsigned l = 0; l < 32; ++l) a[l] = (base + 2 * l) | (base + 2 * l + 1) << 8;
      const LaneResults got =
          run_lanes("cvt.u16.u32 %h0, %a0; cvt.rn.f16x2." + type + " %d, %h0;", a);
      for (unsigned l = 0; l < 32; ++l) {
        for (unsigned k = 0; k < 2; ++k) {
          const double want = fp8(a[l] >> (8 * k) & 255, e5m2);
          const double have = widen_half(got.d[l] >> (16 * k), false);
          CHECK((have == want || (std::isnan(have) && std::isnan(want))));
        }
      }
    }
    for (unsigned seed = 1; seed < 9; ++seed) {
      Lanes a = floats(seed), b;
      std::mt19937 random(seed);
      for (auto& lane : b)  // halfway cases and neighbours of them
        lane = std::bit_cast<u32>(float(fp8(random() % 128, e5m2) * (random() % 2 ? 1 : -1))) +
               (random() % 3) * 0x40000u;
      const LaneResults got =
          run_lanes("cvt.rn.satfinite." + type + ".f32 %h0, %a0, %a1; cvt.u32.u16 %d, %h0;", a, b);
      for (unsigned l = 0; l < 32; ++l) {
        CAPTURE(as_float(a[l]));
        CAPTURE(as_float(b[l]));
        CHECK((got.d[l] >> 8 & 255) == nearest_fp8(as_float(a[l]), e5m2));
        CHECK((got.d[l] & 255) == nearest_fp8(as_float(b[l]), e5m2));
      }
    }
  }
}
