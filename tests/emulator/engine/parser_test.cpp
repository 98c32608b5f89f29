// What cannot be read or is not known is refused when the module is loaded, naming line and text.
#include <doctest/doctest.h>

#include "lane_kernel.hpp"

using namespace emulator_test;

namespace {

/// The message of the PtxError; line 26 is the first of the body.
std::string refusal(const std::string& body, int* line = nullptr) {
  Memory memory(std::size_t{1} << 28);
  try {
    Module::load(lane_kernel(body), memory);
  } catch (const PtxError& error) {
    if (line != nullptr) *line = error.line();
    return error.what();
  }
  return "";
}

bool mentions(const std::string& message, const std::string& words) {
  CAPTURE(message);
  return message.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("refusals name the line and what stands there") {
  int line = 0, first = 0;
  refusal("frobnicate.b32 %d, %a0;", &first);
  CHECK(first > 20);
  CHECK(mentions(refusal("\n\nfrobnicate.b32 %d, %a0;", &line), "frobnicate"));
  CHECK(line == first + 2);
  CHECK(mentions(refusal("add.strange.s32 %d, %a0, %a1;"), "'.strange'"));
  CHECK(mentions(refusal("add.f32.noftz %d, %a0, %a1;"), "noftz"));
  CHECK(mentions(refusal("add.s32 %d, %a0;"), "operands"));
  CHECK(mentions(refusal("add.s32 %nobody, %a0, %a1;"), "'%nobody' is not declared"));
  CHECK(mentions(refusal("bra NOWHERE;"), "NOWHERE"));
  CHECK(mentions(refusal("mov.u32 %d, 0f3F8;"), "0f3F8"));
  CHECK(mentions(refusal("add.s64 %ld, %a0, %a1;"), "64 bits"));
  CHECK(mentions(refusal("{ .param .b32 p0; call.uni vprintf, (p0); }"), "vprintf"));
  CHECK(mentions(refusal("call.uni (), helper;"), "helper"));
  CHECK(mentions(refusal("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%t0,%t1,%t2,%t3},"
                         "{%t0,%t1},{%t0,%t1},{%t0,%t1,%t2,%t3};"),
                 "operand 2 needs 4"));
  CHECK(mentions(refusal("mov.u32 %d, %no.such;"), "%no.such"));
  // What sm_80 has and the emulator does not, or has not yet.
  for (const char* form :
       {"wmma.load.a.sync.aligned.row.m16n16k16.shared.f16 {%a0}, [%in];", "mma.sp.sync %d, %a0;",
        "atom.global.exch.b128 %ld, [%in], %ld;", "tex.2d.v4.f32.f32 {%a0}, [%in, {%a0}];",
        "cp.async.mbarrier.arrive.noinc.shared.b64 [%in];",
        "lop3.or.b32 %d|%p0, %a0, %a1, %a2, 3, %p1;", "vset4.u32.u32.lt %d, %a0, %a1, %a2;",
        "vadd4.u32.u32.u32.sat.add %d, %a0, %a1, %a2;", "fence.proxy.async;",
        "alloca.u64 %ld, 16;"}) {
    const std::string word = std::string(form).substr(0, std::string(form).find('.'));
    CHECK(mentions(refusal(form, &line), word));
    CHECK(line == first);
  }
  CHECK(mentions(refusal("add.s32 %d, %a0, %a1"), "';'"));
  Memory memory(std::size_t{1} << 28);
  CHECK_THROWS_AS(Module::load("this is not PTX", memory), PtxError);
  CHECK_THROWS_AS(Module::load("", memory), PtxError);
}

TEST_CASE("scopes of inline assembly have labels and registers of their own") {
  const std::string once =
      "{ .reg .pred %q; .reg .b32 %d2; setp.lt.u32 %q, %lane, 8; @%q bra DONE;"
      "add.u32 %d, %d, 1; DONE: }\n";
  const LaneResults got = run_lanes(once + once);
  CHECK(got.d[3] == 0);
  CHECK(got.d[9] == 2);
}

TEST_CASE("parameters, attributes and debug information") {
  const std::string text = R"(.version 8.0
.target sm_80
.address_size 64
.file 1 "kernel.cu"
.visible .entry shaped(
  .param .align 8 .b8 blob[20],
  .param .u8 small,
  .param .u64 .ptr .global .align 16 out
)
.maxntid 64, 2, 1
.minnctapersm 2
{
  .reg .b32 %r<4>;
  .reg .b64 %rd<3>;
  .loc 1 20 3
  ld.param.u64 %rd1, [out];
  .loc 1 17 3, function_name $L__info_string0, inlined_at 1 24 5
  ld.param.u32 %r1, [blob+16];
  .loc 1 5 1, function_name $L__info_string1, inlined_at 1 17 3
  mov.b64 %rd2, blob;
  ld.param.u8 %r2, [%rd2+20];
  st.global.v2.u32 [%rd1+4], {%r1, %r2};
  ret;
}
.section .debug_str
{
$L__info_string0:
.b8 95
}
)";
  Memory memory(std::size_t{1} << 28);
  const auto module = Module::load(text, memory);
  const Kernel& kernel = module->kernels().at("shaped");
  CHECK(module->target() == 80);
  CHECK(kernel.max_threads == 128);
  CHECK(kernel.parameter_bytes == 32);
  CHECK(kernel.parameters[1].offset == 20);
  CHECK(kernel.parameters[2].offset == 24);
  Launch launch;
  const std::uint64_t out = memory.allocate(16);
  launch.parameters = pointer_parameters({0, 0, 0, out});
  Options options;
  options.detectors = false;
  const Report report = run(kernel, launch, memory, options);
  REQUIRE(report.faults.size() == 1);  // a vector store at +4 is misaligned
  CHECK(report.faults[0].kind == FaultKind::misaligned);
  CHECK(report.faults[0].cuda_line == 24);
  CHECK(report.faults[0].ptx_line == 22);
}
