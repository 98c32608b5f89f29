// `standard` in the command: its row, a checked run with the counters of its three kernels, its
// budget, and a dump of three kernels that is one file which compiles.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <tilewright/error.hpp>

#include "command/command.hpp"
#include "runtime/compile.hpp"
#include "runtime/cubin_info.hpp"
#include "standard_device.hpp"
#include "variants/table.hpp"

using namespace tilewright;

namespace {

struct Printed {
  int status = 0;
  std::string out, err;
  nlohmann::json json() const {
    INFO((out + err));
    REQUIRE(nlohmann::json::accept(out));
    return nlohmann::json::parse(out);
  }
};

/// The command with the bundled variants; words are split at spaces.
Printed invoke(const std::string& line) {
  test::emulator();  // chooses the cache's folder
  std::istringstream words(line);
  std::vector<std::string> arguments;
  for (std::string word; words >> word;) arguments.push_back(word);
  std::ostringstream out, err;
  const int status = command::command(arguments, library::variants(), out, err);
  return {status, out.str(), err.str()};
}

const std::string run = "run standard --json --check --device emulator:sm_80 ";

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

}  // namespace

TEST_CASE("list has its row and its options") {
  const auto listed = invoke("list --json").json();
  for (const auto& row : listed.at("variants")) {
    if (row.at("name") != "standard") continue;
    std::map<std::string, std::string> defaults;
    for (const auto& option : row.at("options")) defaults[option.at("name")] = option.at("default");
    CHECK(defaults.at("--scores") == "f32");
    CHECK(defaults.at("--memory-budget") == "4294967296");
    return;
  }
  FAIL("no such row");
}

TEST_CASE("a run is checked, and its counters are those of the three kernels together") {
  for (const std::string scores : {"f32", "input"}) {
    const auto object =
        invoke(run +
               "--causal --batch 2 --heads 4 --kv-heads 2 --seqlen-q 256 --seqlen-kv 384 "
               "--head-dim 64 --value-dim 128 --scores " +
               scores)
            .json();
    CHECK(object.at("ok") == true);
    CHECK(object.at("faults").empty());
    const auto& counters = object.at("counters");
    CHECK(counters.at("launches") == 3);
    REQUIRE(256 % object.at("tile").at("q").get<int>() == 0);
    REQUIRE(384 % object.at("tile").at("kv").get<int>() == 0);
    const std::int64_t heads = 8, pairs = heads * 256 * 384, element = scores == "f32" ? 4 : 2;
    CHECK(counters.at("tensor_ops") == 2 * pairs * (64 + 128));
    // S is written once and read twice, P is written once and read once: out and lse beside them.
    CHECK(counters.at("global_store_bytes") == 2 * pairs * element + heads * 256 * (2 * 128 + 4));
    CHECK(counters.at("global_load_bytes") > 3 * pairs * element);
  }
}

TEST_CASE("every tile is visited; the full ones are those without a hidden pair") {
  for (const auto& [q, kv, mask] :
       {std::tuple{300, 500, "--causal"}, std::tuple{500, 300, "--causal"},
        std::tuple{300, 500, "--causal --causal-alignment top-left"}, std::tuple{300, 500, ""}}) {
    CAPTURE(mask);
    const auto object = invoke(run + "--heads 2 --head-dim 8 --seqlen-q " + std::to_string(q) +
                               " --seqlen-kv " + std::to_string(kv) + " " + mask)
                            .json();
    CHECK(object.at("ok") == true);
    const int rows = object.at("tile").at("q"), columns = object.at("tile").at("kv");
    const std::string text = mask;
    const int offset = text.find("top-left") != std::string::npos ? 0 : kv - q;
    int full = 0, all = 0;
    for (int i = 0; i < q; i += rows)
      for (int j = 0; j < kv; j += columns) {
        bool hidden = false;
        for (int r = i; r < std::min(i + rows, q); ++r)
          for (int c = j; c < std::min(j + columns, kv); ++c)
            hidden |= !text.empty() && c > r + offset;
        full += !hidden;
        ++all;
      }
    CHECK(object.at("blocks") ==
          nlohmann::json{{"skipped", 0}, {"full", 2 * full}, {"cut", 2 * (all - full)}});
  }
}

TEST_CASE("a shape above the budget is refused with the bytes it would take") {
  const std::string shape = "--batch 2 --heads 6 --seqlen-q 200 --seqlen-kv 333 --head-dim 8 ";
  const std::int64_t bytes = 2 * 2 * 6 * 200 * 336 * 4;
  const auto refused = [&](const std::string& options, const std::string& argument) {
    const Printed printed = invoke(run + shape + options);
    CHECK(printed.status == 2);
    CHECK(printed.json().at("error").at("argument") == argument);
    return printed.json().at("error");
  };
  const auto error = refused("--memory-budget " + std::to_string(bytes - 1), "--memory-budget");
  CHECK(error.at("message").get<std::string>().find(std::to_string(bytes) + " bytes") !=
        std::string::npos);
  CHECK(invoke(run + shape + "--memory-budget " + std::to_string(bytes)).status == 0);
  CHECK(
      invoke(run + shape + "--scores input --memory-budget " + std::to_string(bytes / 2)).status ==
      0);
  refused("--memory-budget 1GB", "--memory-budget");
  refused("--scores f16", "--scores");
  CHECK(invoke(run + "--batch 0 --memory-budget 0").status == 0);
  // The default: 4 GiB.
  const Printed large = invoke(run + "--heads 1 --head-dim 8 --seqlen-q 32768 --seqlen-kv 32768");
  CHECK(large.status == 2);
  CHECK(large.json().at("error").at("value") == "4294967296");
}

TEST_CASE("empty lengths") {
  for (const char* lengths : {"--seqlen-q 0 --seqlen-kv 9", "--seqlen-q 9 --seqlen-kv 0"})
    CHECK(invoke(run + "--head-dim 8 " + lengths).json().at("ok") == true);
}

TEST_CASE("forced tiles are those of the products; a schedule file is refused") {
  const auto object = invoke(run + "--seqlen-q 100 --tile-q 64 --tile-kv 32 --heads 2").json();
  CHECK(object.at("ok") == true);
  CHECK(object.at("tile") == nlohmann::json{{"q", 64}, {"kv", 32}});
  const auto folder = std::filesystem::path(TILEWRIGHT_TEST_CACHE).parent_path();
  std::filesystem::create_directories(folder);
  const std::string file = (folder / "standard.schedule").string();
  std::ofstream(file) << "target sm_80\n";
  CHECK(invoke(run + "--schedule " + file).status == 2);
}

TEST_CASE("the dump is one file of three kernels, and it compiles") {
  const std::string text = invoke("dump standard --causal").out;
  CHECK(text == invoke("dump standard --causal").out);
  CHECK(count(text, "extern \"C\" __global__") == 3);
  CHECK(count(text, "\nint main()") == 4);  // each kernel's own, and the one that calls them
  std::istringstream stream(text);
  std::string line;
  bool main_part = false;
  while (std::getline(stream, line)) {
    CAPTURE(line);
    if (line.rfind("#if", 0) == 0) main_part = line.find("TILEWRIGHT_MAIN") != std::string::npos;
    if (line.find("#include") != std::string::npos) CHECK(main_part);
    if (line.rfind("#endif", 0) == 0) main_part = false;
  }
  CHECK(count(invoke("dump standard --stage ptx").out, ".visible .entry") == 3);
  const std::string cubin = invoke("dump standard --stage cubin").out;
  for (const char* kernel : {"scores", "weights", "values"}) {
    CAPTURE(kernel);
    CHECK(runtime::inspect_cubin(cubin, kernel).spill_bytes() == 0);
    for (const char* stage : {"dsl", "ir", "schedule", "sass"})
      CHECK(invoke(std::string("dump standard --stage ") + stage).out.find(kernel) !=
            std::string::npos);
  }
}

TEST_CASE("nvcc takes the file with its main()") {
  std::string nvcc;
  for (const char* file : {"/usr/local/cuda/bin/nvcc", "/usr/bin/nvcc"})
    if (nvcc.empty() && std::filesystem::exists(file)) nvcc = file;
  if (nvcc.empty()) {
    MESSAGE("no nvcc on this machine: nothing to check here");
    return;
  }
  const auto folder = std::filesystem::path(TILEWRIGHT_TEST_CACHE).parent_path() / "dumped";
  std::filesystem::create_directories(folder);
  const std::string file = (folder / "standard.cu").string();
  std::ofstream(file) << invoke("dump standard --causal").out;
  const std::string command =
      nvcc + " -DTILEWRIGHT_MAIN -arch=sm_80 -o " + (folder / "standard.out").string() + " " + file;
  CHECK(std::system(command.c_str()) == 0);
}
