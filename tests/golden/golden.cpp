// The generated kernels, as committed: whoever changes the compiler sees in review what became of
// its output. A difference is printed as a patch; BLESS=1 in the environment writes the files anew.
//
// Compared from the line "// ---- kernel ----" on: the prelude above it and the places of the
// user's lines have tests of their own (tests/emit).
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <tilewright/compile.hpp>
#include <tilewright/dsl.hpp>

#include "loops/flash_forward.hpp"

using namespace tilewright;

namespace {

constexpr Dim<"row"> Row;
constexpr Dim<"column"> Column;

const std::filesystem::path folder = TILEWRIGHT_GOLDEN;

std::string read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// What two files differ in, as a patch.
std::string difference(const std::filesystem::path& expected, const std::filesystem::path& actual) {
  const std::string files = "'" + expected.string() + "' '" + actual.string() + "'";
  const std::string command =
      "if command -v git >/dev/null 2>&1; then git diff --no-index --no-color " + files +
      "; else diff -u " + files + "; fi";
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char piece[4096];
  while (const std::size_t count = std::fread(piece, 1, sizeof piece, pipe))
    text.append(piece, count);
  ::pclose(pipe);
  return text;
}

void compare(const std::string& name, const KernelSource& kernel,
             const CompileRequest& request = {}) {
  const std::string whole = make_program(kernel, "sm_80", request).cuda_source();
  const std::size_t start = whole.find("// ---- kernel ----");
  REQUIRE(start != std::string::npos);
  const std::string text = whole.substr(start);
  const std::filesystem::path golden = folder / (name + ".cu");
  const char* bless = std::getenv("BLESS");
  if (bless != nullptr && std::string(bless) == "1") {
    std::ofstream(golden, std::ios::binary) << text;
    MESSAGE("written: " << golden.string());
  }
  if (read(golden) == text) return;
  const auto made = std::filesystem::temp_directory_path() / ("golden-" + name + ".cu");
  std::ofstream(made, std::ios::binary) << text;
  FAIL_CHECK(name << ".cu is not what the compiler makes now (BLESS=1 accepts this):\n"
                  << difference(golden, made));
  std::filesystem::remove(made);
}

}  // namespace

TEST_CASE("flash, causal, bf16, head dimension 64: tensor cores and staged copies") {
  compare("flash_causal_bf16_d64", library::flash_forward<bf16>(library::causal_bottom_right),
          {.extents = {{"d", 64}, {"e", 64}}, .schedule = {}});
}

TEST_CASE("a softmax of rows of any length: two loops, reductions across lanes") {
  const auto softmax =
      kernel("softmax", [](In<"x", f32, Row, Column> X, Out<"y", f32, Row, Column> Y) {
        auto rows = blocks(Row);
        Var<f32, Row> row_max{"row_max", -infinity};
        Var<f32, Row> row_sum{"row_sum", 0.f};
        for_blocks(Column, [&](auto n) {
          auto t = let("t", load(X(rows, n)) * log2_e);
          auto m_new = let("m_new", max(row_max, reduce_max(t, Column)));
          auto alpha = let("alpha", exp2_safe(row_max, m_new));
          row_sum = row_sum * alpha + reduce_sum(exp2_safe(t, m_new), Column);
          row_max = m_new;
        });
        for_blocks(Column, [&](auto n) {
          store(Y(rows, n), exp2(load(X(rows, n)) * log2_e - row_max) / row_sum);
        });
      });
  compare("softmax", softmax);
}

TEST_CASE("a sum, scaled: no loop, no reduction") {
  const auto add = kernel("add", [](In<"a", f16, Row> A, In<"b", f16, Row> B, Out<"c", f16, Row> C,
                                    Scalar<"factor", f32> factor) {
    auto rows = blocks(Row);
    auto sum = let("sum", cast<f32>(load(A(rows))) + cast<f32>(load(B(rows))));
    store(C(rows), sum * factor);
  });
  compare("add", add);
}
