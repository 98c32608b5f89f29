// Integer and bit instructions against scalar models, in the full stream (32 threads) and the
// masked one (19 threads).
#include <doctest/doctest.h>

#include <functional>

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
struct Wide {
  std::string text;
  std::function<u64(u64, u64, u64)> model;
};

u32 field(u32 a, u32 b, u32 c, bool sign) {
  const u32 position = b & 255, length = c & 255;
  const u32 top = position + length - 1 > 31 ? 31 : position + length - 1;
  const u32 fill = sign && length != 0 ? (a >> top) & 1 : 0;
  u32 result = 0;
  for (u32 k = 0; k < 32; ++k) {
    const u32 bit = k < length && position + k <= 31 ? (a >> (position + k)) & 1 : fill;
    result |= bit << k;
  }
  return result;
}

u32 permuted(u32 a, u32 b, u32 c) {
  u32 result = 0;
  for (u32 k = 0; k < 4; ++k) {
    const u32 nibble = (c >> (4 * k)) & 15;
    u32 byte = u32(((u64{b} << 32) | a) >> (8 * (nibble & 7))) & 255;
    if ((nibble & 8) != 0) byte = (byte >> 7) != 0 ? 255 : 0;
    result |= byte << (8 * k);
  }
  return result;
}

}  // namespace

TEST_CASE("32-bit integer instructions") {
  const Narrow cases[] = {
      {"add.s32 %d, %a0, %a1;", [](u32 a, u32 b, u32) { return a + b; }},
      {"sub.s32 %d, %a0, %a1;", [](u32 a, u32 b, u32) { return a - b; }},
      {"mul.lo.s32 %d, %a0, %a1;", [](u32 a, u32 b, u32) { return a * b; }},
      {"mul.hi.s32 %d, %a0, %a1;",
       [](u32 a, u32 b, u32) { return u32((s64(s32(a)) * s32(b)) >> 32); }},
      {"mul.hi.u32 %d, %a0, %a1;", [](u32 a, u32 b, u32) { return u32((u64{a} * b) >> 32); }},
      {"mad.lo.s32 %d, %a0, %a1, %a2;", [](u32 a, u32 b, u32 c) { return a * b + c; }},
      {"mad.hi.u32 %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) { return u32((u64{a} * b) >> 32) + c; }},
      {"add.sat.s32 %d, %a0, %a1;",
       [](u32 a, u32 b, u32) {
         const s64 sum = s64(s32(a)) + s32(b);
         return u32(sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum);
       }},
      {"div.s32 %d, %a0, %a1;",
       [](u32 a, u32 b, u32) { return b == 0     ? ~0u
                                      : b == ~0u ? 0u - a
                                                 : u32(s32(a) / s32(b)); }},
      {"rem.u32 %d, %a0, %a1;", [](u32 a, u32 b, u32) { return b == 0 ? a : a % b; }},
      {"min.s32 %d, %a0, %a1;", [](u32 a, u32 b, u32) { return s32(a) < s32(b) ? a : b; }},
      {"max.u32 %d, %a0, %a1;", [](u32 a, u32 b, u32) { return a > b ? a : b; }},
      {"abs.s32 %d, %a0;", [](u32 a, u32, u32) { return s32(a) < 0 ? 0u - a : a; }},
      {"neg.s32 %d, %a0;", [](u32 a, u32, u32) { return 0u - a; }},
      {"sad.u32 %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) { return c + (a < b ? b - a : a - b); }},
      {"mul24.lo.s32 %d, %a0, %a1;",
       [](u32 a, u32 b, u32) { return u32(s64(s32(a << 8) >> 8) * (s32(b << 8) >> 8)); }},
      {"and.b32 %d, %a0, %a1;", [](u32 a, u32 b, u32) { return a & b; }},
      {"xor.b32 %d, %a0, 255;", [](u32 a, u32, u32) { return a ^ 255; }},
      {"not.b32 %d, %a0;", [](u32 a, u32, u32) { return ~a; }},
      {"cnot.b32 %d, %a0;", [](u32 a, u32, u32) { return u32{a == 0}; }},
      {"shl.b32 %d, %a0, %a1;", [](u32 a, u32 b, u32) { return b > 31 ? 0 : a << b; }},
      {"shr.u32 %d, %a0, %a1;", [](u32 a, u32 b, u32) { return b > 31 ? 0 : a >> b; }},
      {"shr.s32 %d, %a0, %a1;", [](u32 a, u32 b, u32) { return u32(s32(a) >> (b > 31 ? 31 : b)); }},
      {"shf.l.wrap.b32 %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) { return u32((((u64{b} << 32) | a) << (c & 31)) >> 32); }},
      {"shf.r.clamp.b32 %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) { return u32(((u64{b} << 32) | a) >> (c > 32 ? 32 : c)); }},
      {"bfe.u32 %d, %a0, %a1, %a2;", [](u32 a, u32 b, u32 c) { return field(a, b, c, false); }},
      {"bfe.s32 %d, %a0, %a1, %a2;", [](u32 a, u32 b, u32 c) { return field(a, b, c, true); }},
      {"bfi.b32 %d, %a0, %a1, %a2, 7;",
       [](u32 a, u32 b, u32 c) {
         const u32 position = c & 255;
         u32 result = b;
         for (u32 k = 0; k < 7 && position + k < 32; ++k) {
           result = (result & ~(1u << (position + k))) | (((a >> k) & 1) << (position + k));
         }
         return result;
       }},
      {"popc.b32 %d, %a0;", [](u32 a, u32, u32) { return u32(__builtin_popcount(a)); }},
      {"clz.b32 %d, %a0;", [](u32 a, u32, u32) { return a == 0 ? 32u : u32(__builtin_clz(a)); }},
      {"bfind.u32 %d, %a0;",
       [](u32 a, u32, u32) { return a == 0 ? ~0u : 31u - u32(__builtin_clz(a)); }},
      {"brev.b32 %d, %a0;",
       [](u32 a, u32, u32) {
         u32 result = 0;
         for (u32 k = 0; k < 32; ++k) result |= ((a >> k) & 1) << (31 - k);
         return result;
       }},
      {"lop3.b32 %d, %a0, %a1, %a2, 0x96;", [](u32 a, u32 b, u32 c) { return a ^ b ^ c; }},
      {"lop3.b32 %d, %a0, %a1, %a2, 0xe2;", [](u32 a, u32 b, u32 c) { return (a & b) | (c & ~b); }},
      {"prmt.b32 %d, %a0, %a1, %a2;", permuted},
      {"dp4a.s32.u32 %d, %a0, %a1, %a2;",
       [](u32 a, u32 b, u32 c) {
         s32 sum = s32(c);
         for (u32 k = 0; k < 4; ++k)
           sum = s32(u32(sum) + u32(std::int8_t(a >> (8 * k)) * s32((b >> (8 * k)) & 255)));
         return u32(sum);
       }},
      {"setp.lt.s32 %p0, %a0, %a1; selp.b32 %d, %a0, %a1, %p0;",
       [](u32 a, u32 b, u32) { return s32(a) < s32(b) ? a : b; }},
      {"setp.hi.u32 %p0|%p1, %a0, %a1; setp.eq.or.s32 %p2, %a0, 0, !%p1; selp.u32 %d, 5, 6, %p2;",
       [](u32 a, u32 b, u32) { return a == 0 || a > b ? 5u : 6u; }},
      {"set.ge.u32.s32 %d, %a0, %a1;",
       [](u32 a, u32 b, u32) { return s32(a) >= s32(b) ? ~0u : 0u; }},
      {"slct.b32.s32 %d, %a0, %a1, %a2;", [](u32 a, u32 b, u32 c) { return s32(c) >= 0 ? a : b; }},
      {"setp.ne.u32 %p1, %a0, %a1; mov.u32 %d, 9; @!%p1 mov.u32 %d, 4; @%p1 add.u32 %d, %d, %a2;",
       [](u32 a, u32 b, u32 c) { return a == b ? 4u : 9 + c; }},
      {"mov.b32 {%h0, %h1}, %a0; add.s16 %h0, %h0, %h1; mov.b32 %d, {%h1, %h0};",
       [](u32 a, u32, u32) { return (a >> 16) | ((a + (a >> 16)) << 16); }},
  };
  for (const unsigned threads : {32u, 19u}) {
    for (const Narrow& each : cases) {
      CAPTURE(each.text);
      CAPTURE(threads);
      for (unsigned seed = 1; seed < 4; ++seed) {
        const Lanes a = awkward(seed), b = awkward(seed + 10), c = awkward(seed + 20);
        const LaneResults got = run_lanes(each.text, a, b, c, threads);
        CHECK(got.report.faults.empty());
        for (unsigned lane = 0; lane < threads; ++lane) {
          CAPTURE(lane);
          REQUIRE(got.d[lane] == each.model(u32(a[lane]), u32(b[lane]), u32(c[lane])));
        }
      }
    }
  }
}

TEST_CASE("64-bit integer instructions, widening and carries") {
  __extension__ typedef unsigned __int128 u128;
  const Wide cases[] = {
      {"add.s64 %ld, %l0, %l1;", [](u64 a, u64 b, u64) { return a + b; }},
      {"mul.lo.s64 %ld, %l0, %l1;", [](u64 a, u64 b, u64) { return a * b; }},
      {"mul.hi.u64 %ld, %l0, %l1;", [](u64 a, u64 b, u64) { return u64((u128{a} * b) >> 64); }},
      {"mad.lo.u64 %ld, %l0, %l1, %l2;", [](u64 a, u64 b, u64 c) { return a * b + c; }},
      {"mul.wide.s32 %ld, %a0, %a1;", [](u64 a, u64 b, u64) { return u64(s64(s32(a)) * s32(b)); }},
      {"mad.wide.u32 %ld, %a0, %a1, %l2;",
       [](u64 a, u64 b, u64 c) { return u64{u32(a)} * u32(b) + c; }},
      {"div.u64 %ld, %l0, %l1;", [](u64 a, u64 b, u64) { return b == 0 ? ~u64{0} : a / b; }},
      {"rem.s64 %ld, %l0, %l1;",
       [](u64 a, u64 b, u64) { return b == 0         ? a
                                      : b == ~u64{0} ? 0
                                                     : u64(s64(a) % s64(b)); }},
      {"shr.s64 %ld, %l0, %a1;",
       [](u64 a, u64 b, u64) { return u64(s64(a) >> (u32(b) > 63 ? 63 : u32(b))); }},
      {"min.s64 %ld, %l0, %l1;", [](u64 a, u64 b, u64) { return s64(a) < s64(b) ? a : b; }},
      {"cvt.s64.s32 %ld, %a0;", [](u64 a, u64, u64) { return u64(s64(s32(a))); }},
      {"cvt.u64.u16 %ld, %a0;", [](u64 a, u64, u64) { return a & 0xffff; }},
      {"mov.b64 %ld, {%a1, %a0};", [](u64 a, u64 b, u64) { return (a << 32) | u32(b); }},
      {"mov.b64 {%t0, %t1}, %l0; add.cc.u32 %t0, %t0, %a1; addc.u32 %t1, %t1, 0; mov.b64 %ld, "
       "{%t0, %t1};",
       [](u64 a, u64 b, u64) { return a + u32(b); }},
      {"mov.b64 {%t0, %t1}, %l0; mov.b64 {%t2, %t3}, %l1; sub.cc.u32 %t0, %t0, %t2;"
       "subc.u32 %t1, %t1, %t3; mov.b64 %ld, {%t0, %t1};",
       [](u64 a, u64 b, u64) { return a - b; }},
      {"brev.b64 %ld, %l0;",
       [](u64 a, u64, u64) {
         u64 result = 0;
         for (unsigned k = 0; k < 64; ++k) result |= ((a >> k) & 1) << (63 - k);
         return result;
       }},
      {"setp.gt.s64 %p0, %l0, %l1; selp.b64 %ld, %l0, %l1, %p0;",
       [](u64 a, u64 b, u64) { return s64(a) > s64(b) ? a : b; }},
  };
  for (const unsigned threads : {32u, 19u}) {
    for (const Wide& each : cases) {
      CAPTURE(each.text);
      const Lanes a = awkward(7), b = awkward(8), c = awkward(9);
      const LaneResults got = run_lanes(each.text, a, b, c, threads);
      for (unsigned lane = 0; lane < threads; ++lane) {
        CAPTURE(lane);
        REQUIRE(got.ld[lane] == each.model(a[lane], b[lane], c[lane]));
      }
    }
  }
}
