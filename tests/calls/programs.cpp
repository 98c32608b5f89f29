// What can be read off a compiled attention: the text is the command's, byte for byte; images for
// other architectures; explain; schedules; captured in a graph by its own stream and workspace.
#include "calls.hpp"

#include <cstdio>

using namespace calls;

namespace {

std::string command(const std::string& arguments) {
  FILE* process = ::popen((TILEWRIGHT_COMMAND " " + arguments).c_str(), "r");
  REQUIRE((process != nullptr));
  std::string said;
  for (int c; (c = std::fgetc(process)) != EOF;) said += static_cast<char>(c);
  CHECK(::pclose(process) == 0);
  return said;
}

bool contains(const std::string& text, const std::string& what) {
  const bool found = text.find(what) != std::string::npos;
  if (!found) MESSAGE("no \"" << what << "\" in\n" << text);
  return found;
}

}  // namespace

TEST_CASE("the text is what the command dumps, with and without a device") {
  const auto attention = Attention{}.mask(causal());
  const AttentionRequest request{.dtype = bf16, .head_dim = 128, .value_dim = 64};
  const std::string dumped = command("dump flash --causal --head-dim 128 --value-dim 64");
  CHECK(attention.program("sm_80", request).cuda_source() == dumped);
  CHECK(attention.compile(emulator(), request).cuda_source() == dumped);
  CHECK(Attention{}.program("sm_80", request).cuda_source() != dumped);
}

TEST_CASE("images for architectures that are not here; launch facts") {
  emulator();  // its cache
  for (const char* arch : {"sm_80", "sm_89", "sm_90", "sm_120"}) {
    const auto program = Attention{}.program(arch, {.dtype = f16, .head_dim = 64});
    const std::string cubin = program.cubin();
    CHECK(cubin.substr(1, 3) == "ELF");
    CHECK(contains(program.ptx(), ".visible .entry flash("));
    CHECK(program.symbol() == "flash");
    CHECK(program.threads() % 32 == 0);
    CHECK(contains(program.cuda_source(), std::to_string(program.threads()) + " threads, " +
                                              std::to_string(program.shared_bytes()) +
                                              " bytes of shared memory"));
    const auto parameters = program.parameters();
    REQUIRE(parameters.size() > 10);
    CHECK(parameters[0] == "const f16* q");
    CHECK(parameters[1] == "i64 q_batch");
    CHECK(parameters.back() == "float softmax_scale");
  }
  const auto program = Attention{}.program("sm_80", {.head_dim = 64, .schedule = "tile q 64"});
  CHECK(program.blocks({.batch = 2, .heads = 6, .kv_heads = 3, .seqlen_q = 129, .seqlen_kv = 9}) ==
        2 * 6 * 3);
  CHECK(program.blocks({.heads = 6, .kv_heads = 3, .seqlen_q = 0, .seqlen_kv = 9}) == 0);
}

TEST_CASE("a schedule is printed, read back and overridden; each gives the right result") {
  auto p = problem(bf16, {.heads = 2,
                          .kv_heads = 1,
                          .seqlen_q = 100,
                          .seqlen_kv = 150,
                          .head_dim = 64,
                          .value_dim = 64});
  p.visible = [](long, long, long q, long k) { return k <= q + 50; };
  const auto attention = Attention{}.mask(causal());
  const auto own = attention.compile(emulator(), {.head_dim = 64});
  CHECK(attention.compile(emulator(), {.head_dim = 64, .schedule = own.schedule()}).cuda_source() ==
        own.cuda_source());
  for (const char* text : {"tile q 64\ntile kv 32\nstages 3", "warps 2\ntile q 32"}) {
    const auto plan = attention.compile(emulator(), {.head_dim = 64, .schedule = text});
    CHECK(contains(plan.schedule(), std::string(text).substr(0, 7)));
    CHECK(plan.cuda_source() != own.cuda_source());
    const Tensors tensors(p, bf16);
    plan.launch(Stream::default_stream(emulator()), tensors.views);
    check_results(p, bf16, tensors.out.numbers(), tensors.lse.numbers());
  }
}

TEST_CASE("explain says what was compiled and what it costs") {
  const auto plan = Attention{}.mask(causal(top_left)).compile(emulator(), {.head_dim = 64});
  const std::string text = plan.explain();
  for (const char* what : {"k <= q", "bf16", "head_dim 64", "compiled for sm_80", "registers",
                           "bytes spilled", "tile q ", "tile kv ", "stages"})
    CHECK(contains(text, what));
  // 4 rows of 128 x 128 tiles: 1 + 2 + 3 + 4 of 16 are visited, 4 of them cut, by 8 heads.
  const auto program = Attention{}.mask(causal()).program(
      "sm_80", {.head_dim = 64, .schedule = "tile q 128\ntile kv 128"});
  const std::string costs =
      program.explain({.heads = 8, .kv_heads = 8, .seqlen_q = 512, .seqlen_kv = 512});
  CHECK(contains(costs, "48 skipped, 48 full, 32 cut"));
  CHECK(contains(costs, "0.3355 Gflop in visited tiles"));  // 4 * 128 * 128 * 64 * 80
  CHECK(contains(costs, "2.114 MB"));                       // 4 * 512 * 64 * 8 * 2 + 512 * 8 * 4
}
