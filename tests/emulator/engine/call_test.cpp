// Calls: parameters by register and by .param, of several sizes, guarded and divergent calls,
// nested ones, calls through a register, shared variables of functions, malloc; and what is
// refused.
#include <doctest/doctest.h>

#include "lane_kernel.hpp"

using namespace emulator_test;

namespace {

std::string refusal(const std::string& body, const std::string& before) {
  Memory memory(std::size_t{1} << 30);
  try {
    Module::load(lane_kernel(body, before), memory);
  } catch (const PtxError& error) {
    return error.what();
  }
  return "accepted";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const std::string add_and_scale = R"(
.func (.param .b32 sum) add_and_scale(.param .b32 x, .param .b64 y)
{
  .reg .b32 %r<4>;
  .reg .b64 %l;
  .reg .pred %p;
  ld.param.b32 %r0, [x];
  ld.param.b64 %l, [y];
  cvt.u32.u64 %r1, %l;
  setp.eq.u32 %p, %r0, 7;
  @!%p bra ADD;
  st.param.b32 [sum], 1000;
  ret;
ADD:
  add.u32 %r2, %r0, %r1;
  mul.lo.u32 %r2, %r2, 3;
  st.param.b32 [sum], %r2;
  ret;
}
)";

std::uint32_t scaled(std::uint64_t a, std::uint64_t b) {
  const auto x = std::uint32_t(a), y = std::uint32_t(b);
  return x == 7 ? 1000 : (x + y) * 3;
}

}  // namespace

TEST_CASE("a call passes parameters and comes back, whatever lanes do inside") {
  const std::string call = R"({
  .param .b32 first; .param .b64 second; .param .b32 result;
  st.param.b32 [first], %a0;
  st.param.b64 [second], %l1;
  call (result), add_and_scale, (first, second);
  ld.param.b32 %d, [result];
})";
  Lanes a = awkward(1), b = awkward(2);
  for (unsigned l = 0; l < 32; l += 3) a[l] = 7;
  for (const unsigned threads : {32u, 19u}) {
    SUBCASE("every lane") {
      const auto got = run_lanes(call, a, b, {}, threads, add_and_scale, true);
      CHECK(got.report.faults.empty());
      for (unsigned l = 0; l < threads; ++l) CHECK(got.d[l] == scaled(a[l], b[l]));
    }
    SUBCASE("some lanes, twice, in a loop") {
      const auto got = run_lanes(
          "mov.u32 %t0, 0;\nAGAIN:\n setp.lt.u32 %p0, %lane, 11;\n @!%p0 bra "
          "SKIP;\n" +
              call +
              "\nSKIP:\n add.u32 %t0, %t0, 1;\n"
              "setp.lt.u32 %p1, %t0, 2;\n @%p1 bra AGAIN;\n",
          a, b, {}, threads, add_and_scale, true);
      CHECK(got.report.faults.empty());
      for (unsigned l = 0; l < threads; ++l) CHECK(got.d[l] == (l < 11 ? scaled(a[l], b[l]) : 0));
    }
    SUBCASE("guarded") {
      std::string guarded = call;
      guarded.replace(guarded.find("call ("), 6, "@%p0 call (");
      const auto got =
          run_lanes("setp.ge.u32 %p0, %lane, 9;\n" + guarded, a, b, {}, threads, add_and_scale);
      for (unsigned l = 9; l < threads; ++l) CHECK(got.d[l] == scaled(a[l], b[l]));
    }
  }
}

TEST_CASE("registers as parameters, nested calls and a function's shared variable") {
  const std::string before = R"(
.func (.reg .b32 out) twice(.reg .b32 in) { add.u32 out, in, in; ret; }
.func (.reg .b32 out) four_times(.reg .b32 in)
{
  .reg .b32 %r;
  call.uni (%r), twice, (in);
  call.uni (out), twice, (%r);
  ret;
}
.func put(.param .b32 value)
{
  .shared .align 4 .b32 cell;
  .reg .b32 %r<2>;
  ld.param.b32 %r0, [value];
  atom.shared.add.u32 %r1, [cell], %r0;
  ret;
}
.func (.param .b32 value) take()
{
  .reg .b32 %r<2>;
  mov.u32 %r0, 5;
  st.param.b32 [value], %r0;
  ret;
}
)";
  const Lanes a = awkward(3);
  const auto got = run_lanes(
      "call (%d), four_times, (%a0);\n { .param .b32 v; call (v), take; ld.param.b32 %t0, [v]; }\n"
      "add.u32 %d, %d, %t0; call (%t1), twice, (3); add.u32 %d, %d, %t1;",
      a, {}, {}, 32, before, true);
  CHECK(got.report.faults.empty());
  for (unsigned l = 0; l < 32; ++l) CHECK(got.d[l] == std::uint32_t(a[l]) * 4 + 11);
}

TEST_CASE("a call through a register reaches the function it holds, per lane") {
  const std::string before = R"(
.func (.param .b32 r) plus(.param .b32 x) { .reg .b32 %r; ld.param.b32 %r, [x]; add.u32 %r, %r, 5; st.param.b32 [r], %r; ret; }
.func (.param .b32 r) times(.param .b32 x) { .reg .b32 %r; ld.param.b32 %r, [x]; mul.lo.u32 %r, %r, 5; st.param.b32 [r], %r; ret; }
.global .align 8 .u64 both[2] = {plus, times};
)";
  const Lanes a = awkward(4);
  const std::string call = R"(
  { .param .b32 p; .param .b32 q;
    st.param.b32 [p], %a0;
    proto: .callprototype (.param .b32 _) _ (.param .b32 _);
    call (q), %lt1, (p), proto;
    ld.param.b32 %d, [q]; }
)";
  const auto got = run_lanes(
      "and.b32 %t0, %lane, 1; mul.wide.u32 %lt0, %t0, 8; mov.u64 %lt1, both;"
      "add.s64 %lt0, %lt0, %lt1; ld.global.u64 %lt1, [%lt0];" +
          call,
      a, {}, {}, 32, before, true);
  CHECK(got.report.faults.empty());
  for (unsigned l = 0; l < 32; ++l)
    CHECK(got.d[l] == (l % 2 == 0 ? std::uint32_t(a[l]) + 5 : std::uint32_t(a[l]) * 5));
  const auto wrong = run_lanes("mov.u64 %lt1, 64;" + call, a, {}, {}, 32, before);
  REQUIRE(wrong.report.faults.size() == 1);
  CHECK(wrong.report.faults[0].kind == FaultKind::trap);
}

TEST_CASE("malloc gives memory of its own to every lane, and free takes it back") {
  const std::string before =
      ".extern .func (.param .b64 r) malloc(.param .b64 n);\n.extern .func free(.param .b64 p);\n";
  const std::string body = R"(
  { .param .b64 n; .param .b64 r;
    st.param.b64 [n], 64;
    call.uni (r), malloc, (n);
    ld.param.b64 %lt0, [r]; }
  st.u32 [%lt0+60], %lane;
  ld.u32 %d, [%lt0+60];
  { .param .b64 p; st.param.b64 [p], %lt0; call.uni free, (p); }
)";
  const auto got = run_lanes(body, {}, {}, {}, 32, before, true);
  CHECK(got.report.faults.empty());
  for (unsigned l = 0; l < 32; ++l) CHECK(got.d[l] == l);
  const auto after = run_lanes(body + "ld.u32 %d, [%lt0];", {}, {}, {}, 32, before, true);
  REQUIRE(after.report.faults.size() == 1);
  CHECK(after.report.faults[0].kind == FaultKind::out_of_bounds);
}

TEST_CASE("what cannot be called is refused by name") {
  const std::string forward = ".func (.param .b32 r) odd(.param .b32 x);\n";
  const std::string loop = forward + R"(
.func (.param .b32 r) even(.param .b32 x) { .param .b32 p; .param .b32 q; .reg .b32 %r;
  ld.param.b32 %r, [x]; st.param.b32 [p], %r; call (q), odd, (p); ld.param.b32 %r, [q]; st.param.b32 [r], %r; ret; }
.func (.param .b32 r) odd(.param .b32 x) { .param .b32 p; .param .b32 q; .reg .b32 %r;
  ld.param.b32 %r, [x]; st.param.b32 [p], %r; call (q), even, (p); ld.param.b32 %r, [q]; st.param.b32 [r], %r; ret; }
)";
  const std::string call =
      "{ .param .b32 p; .param .b32 q; st.param.b32 [p], %a0; call (q), odd, (p); }";
  CHECK(contains(refusal(call, loop), "recursion: 'odd'"));
  CHECK(contains(refusal(call, forward), "'odd' is defined nowhere"));
  CHECK(contains(refusal("call odd, (%a0);", add_and_scale), "'odd' is not declared"));
  CHECK(contains(refusal("{ .param .b32 q; call (q), add_and_scale, (q); }", add_and_scale),
                 "takes 2 arguments"));
  CHECK(contains(refusal("{ .param .b32 q, w; call (q), add_and_scale, (q, w); }", add_and_scale),
                 "4 bytes where 'add_and_scale' has 8"));
}
