// What the text of a standalone program promises: it is stable, short, at most 120 columns wide,
// invisible to NVRTC, and a CUDA compiler takes it as it is.
#include <doctest/doctest.h>

#include <cstring>

#include "../../dsl/kernels.hpp"
#include "build.hpp"
#include "emit/sample.hpp"
#include "emit/standalone.hpp"
#include "harness.hpp"
#include "ir/flattened.hpp"
#include "kernels.hpp"
#include "tilewright/error.hpp"

using namespace tilewright;

namespace {

/// A kernel that does nothing, with the parameters that a real one may have.
emit::KernelText empty_kernel(const ir::Kernel& kernel) {
  using Parameter = emit::Parameter;
  emit::KernelText text;
  text.symbol = kernel.name;
  std::string parameters;
  const auto add = [&](Parameter parameter) {
    parameters += (parameters.empty() ? "" : ", ") + parameter.type + " " + parameter.name;
    text.parameters.push_back(std::move(parameter));
  };
  for (const Argument& argument : kernel.arguments) {
    const bool scalar = argument.kind == Argument::Kind::scalar;
    const std::string type = argument.dtype == bf16 || argument.dtype == f16 ? "unsigned short"
                             : argument.dtype == i32                         ? "int"
                                                                             : "float";
    if (scalar) {
      add({Parameter::Kind::scalar, argument.name, type, argument.name, -1});
      continue;
    }
    add({Parameter::Kind::pointer, argument.name, type + "*", argument.name, -1});
    for (std::size_t i = 0; i + 1 < argument.dims.size(); ++i)
      add({Parameter::Kind::stride, argument.name + "_" + argument.dims[i], "long long",
           argument.name, static_cast<int>(i)});
  }
  for (const std::string& dim : kernel.grid) {
    for (const std::string& part : ir::parts_of(dim))
      add({Parameter::Kind::extent, part + "_extent", "int", part, -1});
    text.grid.push_back({dim, dim == "q" ? 64 : 1});
  }
  text.threads = 128;
  text.shared_bytes = 65536;
  text.text = "extern \"C\" __global__ void " + text.symbol + "(" + parameters + ") {}\n";
  return text;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

}  // namespace

TEST_CASE("the text is stable, short and narrow") {
  const ir::Kernel kernel = build(kernels::flash, {{"d", 128}, {"e", 128}});
  const std::string text = emit::emit_standalone(kernel, empty_kernel(kernel));
  CHECK(text == emit::emit_standalone(kernel, empty_kernel(kernel)));
  CHECK(count(text, "\n") <= 130);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) CHECK_MESSAGE(line.size() <= 120, line);
  CHECK(count(text, "#if") == count(text, "#endif"));
  CHECK(text.find("dsl/kernels.hpp:") != std::string::npos);
}

TEST_CASE("a CUDA compiler takes the file alone, and says nothing") {
  if (std::strlen(CUDA_COMPILER) == 0) {
    MESSAGE("no CUDA compiler on this machine");
    return;
  }
  const Folder folder;
  const auto builds = [&](const KernelSource& source,
                          const std::map<std::string, std::int64_t>& bound, bool relaid) {
    const ir::Kernel kernel = build(source, bound);
    emit::KernelText text = empty_kernel(kernel);
    if (relaid) text.aligned = {{kernel.arguments[0].name, 0}};
    const std::string file =
        folder.write(kernel.name + ".cu", "#define unroll _Pragma(\"unroll\")\n" + text.text +
                                              emit::emit_standalone(kernel, text));
    const int status = folder.run(
        std::string(CUDA_COMPILER) +
        " -arch=sm_80 -DTILEWRIGHT_MAIN -Xcompiler -Wall,-Werror -Werror all-warnings -c -o '" +
        folder.path("program.o") + "' '" + file + "'");
    CHECK_MESSAGE(status == 0, folder.output());
  };
  builds(kernels::flash, {{"d", 128}, {"e", 128}}, false);
  builds(standalone_kernels::gathered, {{"d", 18}}, false);
  builds(standalone_kernels::product, {{"d", 7}}, true);
  builds(standalone_kernels::packed, {{"d", 7}}, false);
  builds(standalone_kernels::listed<true>, {{"d", 5}}, false);
}

TEST_CASE("samples: groups divide, tiles have tails, tolerances follow the types") {
  const ir::Kernel kernel = build(kernels::flash, {{"d", 128}, {"e", 64}});
  const auto extents = emit::sample_extents(kernel);
  CHECK(extents.at("q_head") == 4);
  CHECK(extents.at("kv_head") == 2);
  CHECK(extents.at("batch") == 2);
  CHECK(extents.at("q") % 2 == 1);
  CHECK(extents.at("kv") % 2 == 1);
  CHECK(extents.at("e") == 64);
  CHECK(emit::sample_tolerance(kernel, "out") == 2e-2);
  CHECK(emit::sample_tolerance(kernel, "lse") == 1e-4);
  const ir::Kernel gathered = build(standalone_kernels::gathered, {{"d", 18}});
  CHECK(emit::sample_tolerance(gathered, "key") == 0);
  CHECK(emit::sample_limit(gathered, "table", emit::sample_extents(gathered)) ==
        emit::sample_extents(gathered).at("page"));
}

TEST_CASE("samples of a flattened dimension are those of its parts") {
  const auto extents =
      emit::sample_extents(build(standalone_kernels::packed, {{"d", 8}, {"group", 3}}));
  CHECK(extents.at("q") == 77);
  CHECK(extents.at("group") == 3);
  CHECK(!extents.contains("q*group"));
}

TEST_CASE("samples of a list have a row for each tile of rows, and room for all tiles") {
  const ir::Kernel kernel = build(standalone_kernels::listed<true>, {{"d", 5}});
  const auto extents = emit::sample_extents(kernel);
  CHECK(extents.at("blocks_rows") == (extents.at("q") + 15) / 16);
  const auto lists = emit::sample_lists(kernel, extents);
  REQUIRE(lists.size() == 1);
  CHECK(lists[0].begin == "blocks_begin");
  CHECK(lists[0].columns == (extents.at("kv") + 7) / 8);
  CHECK(lists[0].cut);
  CHECK(extents.at("blocks_entries") ==
        extents.at("batch") * extents.at("blocks_rows") * lists[0].columns);
}

TEST_CASE("a parameter that names nothing is refused by name") {
  const ir::Kernel kernel = build(standalone_kernels::sum_of_two);
  emit::KernelText text = empty_kernel(kernel);
  text.parameters.push_back({emit::Parameter::Kind::extent, "rows", "int", "row", -1});
  try {
    emit::emit_main(kernel, text);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_argument);
    CHECK(std::string(error.id()) == "standalone-parameter-unknown");
    CHECK(error.argument() == "rows");
    CHECK(error.value() == "row");
  }
}
