// Every input that the fuzzers were started from, or once broke a reader with, through the function
// that the fuzzer calls. An input that ends the program, escapes with another error than the
// reader's own, or takes long would take a fuzzer's run down too.
//
// The names say what an input is: `seed-…` a valid one, `fault-…` one that broke a reader once.
#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "../../.ci/fuzz/targets.hpp"
#include "emulator/engine.hpp"

namespace {

namespace fs = std::filesystem;
using namespace tilewright;

constexpr fuzz::Target targets[] = {
#ifdef TILEWRIGHT_REPLAY_LIBRARY
    {"safetensors", fuzz::safetensors}, {"command", fuzz::command}
#else
    {"schedule", fuzz::schedule}, {"ptx", fuzz::ptx}
#endif
};

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

double processor_seconds() {
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

/// What is wrong with how `target` takes `input`; empty: nothing.
std::string verdict(const fuzz::Target& target, const std::string& input) {
  const double start = processor_seconds();
  try {
    target.one(input);
  } catch (const std::exception& error) {
    return std::string("escaped: ") + error.what();
  } catch (...) {
    return "escaped: no exception of ours";
  }
  const double time = processor_seconds() - start;
  // A second, and room for a sanitizer.
  return time > 4 ? "took " + std::to_string(time) + " seconds of the processor" : "";
}

}  // namespace

TEST_CASE("what the fuzzers collected breaks no reader") {
  for (const fuzz::Target& target : targets) {
    const auto files = files_of(fs::path(TILEWRIGHT_FUZZ_CORPUS) / target.name);
    CHECK(files.size() >= 5);
    for (const fs::path& file : files) {
      CAPTURE(file.string());
      CHECK(verdict(target, content(file)) == "");
    }
  }
}

#ifndef TILEWRIGHT_REPLAY_LIBRARY

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

TEST_CASE("PTX that asks for more than a device has is refused at once") {
  const auto repeated = [](int count, const std::string& text) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
  };
  const std::string head = ".version 8.0\n.target sm_80\n";
  const auto kernel = [&](const std::string& body) {
    return head + ".entry k() {\n" + body + "}\n";
  };
  std::string variables, tree, blocks = ".reg .b32 %r<150000>;\n.reg .pred %p<2>;\n";
  for (int i = 0; i < 100; ++i)
    variables += ".global .b8 v" + std::to_string(i) + "[1073741824];\n";
  // Every function calls the one before it twice.
  tree = ".func f0() { ret; }\n";
  for (int i = 1; i < 40; ++i) {
    const std::string call = "call.uni f" + std::to_string(i - 1) + ";\n";
    tree += ".func f" + std::to_string(i) + "() {\n" + call + call + "ret;\n}\n";
  }
  for (int i = 0; i < 20000; ++i)
    blocks += "@%p1 bra L" + std::to_string(i) + ";\nL" + std::to_string(i) + ":\n";
  const std::vector<std::pair<const char*, std::string>> inputs = {
      {"a range of registers", kernel(".reg .b32 %r<2000000000>;\nret;\n")},
      {"many ranges of registers", kernel(repeated(1000, ".reg .b32 %r<199999>;\n"))},
      {"a variable", head + ".global .b8 v[1099511627776];\n" + kernel("ret;\n")},
      {"extents whose product overflows",
       head + ".global .b64 v[4294967296][4294967296];\n" + kernel("ret;\n")},
      {"an initial value of a huge variable's first byte",
       head + ".global .b8 v[18446744073709551615] = {1};\n"},
      {"many variables", head + variables},
      {"shared memory", kernel(".shared .b8 s[2147483648];\n.shared .b8 t[2147483648];\n"
                               ".reg .b32 %r<3>;\nmov.u32 %r1, s;\nmov.u32 %r2, t;\nret;\n")},
      {"local memory", kernel(".local .b8 s[2147483648];\n.local .b8 t[2147483648];\nret;\n")},
      {"parameters", head + ".entry k(.param .b8 a[4294967295], .param .b8 b[8]) { ret; }\n"},
      {"an alignment", head + ".global .align 3 .b8 v[4];\n"},
      {"an alignment of nothing", head + ".global .align 0 .b8 v[4];\n"},
      {"nested braces", kernel(".reg .b32 %r<2>;\nmov.b32 %r1, " + repeated(200000, "{"))},
      {"repeated negation", kernel(".reg .b32 %r<2>;\nmov.b32 %r1, " + repeated(200000, "!"))},
      {"a tree of calls", head + tree + ".entry k() {\ncall.uni f39;\nret;\n}\n"},
      {"blocks times registers", kernel(blocks + "ret;\n")},
      {"a branch to nowhere", kernel("bra;\n")},
      {"a branch to a register", kernel(".reg .b32 %r<2>;\nbra %r1;\n")},
      {"a branch by index without a list", kernel(".reg .b32 %r<2>;\nbrx.idx %r1;\n")},
      {"a variable twice", head + ".global .b8 v[4];\n.global .b8 v[8];\n"},
  };
  for (const auto& [name, text] : inputs) {
    CAPTURE(name);
    CHECK(verdict({"ptx", fuzz::ptx}, text) == "");
    emulator::Memory memory;
    CHECK_THROWS_AS(emulator::Module::load(text, memory), emulator::PtxError);
    CHECK(memory.bytes_in_use() == 0);
  }
}

#endif

TEST_CASE("the replay itself: an escape and a contradiction are seen") {
  const auto escaping = [](std::string_view) { throw std::out_of_range("planted"); };
  CHECK(verdict({"planted", escaping}, "") == "escaped: planted");
  const auto contradicting = [](std::string_view) { fuzz::require(false, "planted"); };
  CHECK(verdict({"planted", contradicting}, "") == "escaped: fuzz: not so: planted");
}
