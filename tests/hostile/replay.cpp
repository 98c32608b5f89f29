// Every input that the fuzzers were started from, or once broke a reader with, through the function
// that the fuzzer calls. An input that ends the program, escapes with another error than the
// reader's own, or takes longer than a second would take a fuzzer's run down too.
//
// The names say what an input is: `seed-…` a valid one, `fault-…` one that broke a reader once.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "../../.ci/fuzz/targets.hpp"

namespace {

namespace fs = std::filesystem;
using namespace tilewright;

std::string content(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& item : fs::directory_iterator(folder))
    if (item.is_regular_file()) files.push_back(item.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// What is wrong with how `target` takes `input`; empty: nothing.
std::string verdict(const fuzz::Target& target, const std::string& input) {
  const auto start = std::chrono::steady_clock::now();
  try {
    target.one(input);
  } catch (const std::exception& error) {
    return std::string("escaped: ") + error.what();
  } catch (...) {
    return "escaped: no exception of ours";
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  // A second, and room for a busy machine and a sanitizer.
  return time.count() > 5 ? "took " + std::to_string(time.count()) + " seconds" : "";
}

}  // namespace

TEST_CASE("what the fuzzers collected breaks no reader") {
  for (const fuzz::Target& target : fuzz::targets) {
    const auto files = files_of(fs::path(TILEWRIGHT_FUZZ_CORPUS) / target.name);
    CHECK(files.size() >= 5);
    for (const fs::path& file : files) {
      CAPTURE(file.string());
      CHECK(verdict(target, content(file)) == "");
    }
  }
}

TEST_CASE("PTX of real compilers, whole and cut short at any line") {
  for (const fs::path& file : files_of(TILEWRIGHT_PTX_CORPUS)) {
    CAPTURE(file.string());
    const std::string text = content(file);
    CHECK(verdict({"ptx", fuzz::ptx}, text) == "");
    const std::size_t step = std::max<std::size_t>(1, text.size() / 40);
    for (std::size_t at = step; at < text.size(); at += step) {
      CAPTURE(at);
      CHECK(verdict({"ptx", fuzz::ptx}, text.substr(0, text.find('\n', at))) == "");
    }
  }
}

TEST_CASE("the replay itself: an escape and a contradiction are seen") {
  const auto escaping = [](std::string_view) { throw std::out_of_range("planted"); };
  CHECK(verdict({"planted", escaping}, "") == "escaped: planted");
  const auto contradicting = [](std::string_view) { fuzz::require(false, "planted"); };
  CHECK(verdict({"planted", contradicting}, "") == "escaped: fuzz: not so: planted");
}
