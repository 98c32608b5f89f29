// The dumped file is a product: it includes nothing, is short and narrow, is the same byte for byte
// every time, and nvcc takes it as it is.
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "flash_device.hpp"
#include "variants/table.hpp"

using namespace tilewright;
using namespace tilewright::library;

namespace {

constexpr int most_lines = 300;
constexpr std::size_t most_columns = 120;

std::string dumped(std::int64_t dim, bool causal) {
  Request request;
  request.shape.head_dim = request.shape.value_dim = dim;
  request.shape.causal = causal;
  return find_variant(variants(), "flash").make()->dump(request, "sm_80", Stage::cuda);
}

std::string nvcc() {
  for (const char* file : {"/usr/local/cuda/bin/nvcc", "/usr/bin/nvcc"})
    if (std::filesystem::exists(file)) return file;
  return std::system("command -v nvcc >/dev/null 2>&1") == 0 ? "nvcc" : "";
}

}  // namespace

TEST_CASE("no include, short lines, few lines, the same every time") {
  for (const std::int64_t dim : {64, 128, 80})
    for (const bool causal : {true, false}) {
      CAPTURE(dim);
      CAPTURE(causal);
      const std::string text = dumped(dim, causal);
      CHECK(text == dumped(dim, causal));
      CHECK(text.find("// ---- kernel ----") != std::string::npos);
      CHECK(text.find('\t') == std::string::npos);
      std::istringstream stream(text);
      std::string line;
      int lines = 0, under_main = 0;
      bool main_part = false;
      while (std::getline(stream, line)) {
        ++lines;
        CAPTURE(line);
        CHECK(line.size() <= most_columns);
        CHECK((line.empty() || line.back() != ' '));
        // The part under TILEWRIGHT_MAIN is one or more #if blocks without others inside.
        if (line.rfind("#if", 0) == 0)
          main_part = line.find("TILEWRIGHT_MAIN") != std::string::npos;
        if (line.find("#include") != std::string::npos) {
          CHECK(main_part);
          ++under_main;
        }
        if (line.rfind("#endif", 0) == 0) main_part = false;
      }
      CHECK(lines <= most_lines);
      CHECK(under_main > 0);
    }
}

TEST_CASE("nvcc takes the file, alone and with its main()") {
  if (nvcc().empty()) {
    MESSAGE("no nvcc on this machine: nothing to check here");
    return;
  }
  const auto folder = std::filesystem::path(TILEWRIGHT_TEST_CACHE).parent_path() / "dumped";
  std::filesystem::create_directories(folder);
  const std::string file = (folder / "flash.cu").string();
  std::ofstream(file) << dumped(128, true);
  const auto builds = [&](const std::string& options) {
    const std::string command =
        nvcc() + " " + options + " -arch=sm_80 -o " + (folder / "flash.out").string() + " " + file;
    CAPTURE(command);
    CHECK(std::system(command.c_str()) == 0);
  };
  builds("-cubin");
  builds("-DTILEWRIGHT_MAIN");
}
