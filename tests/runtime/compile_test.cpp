// The compile service: what a warm start opens, what changes the key, processes that start at once,
// dumps. The processes are compile_probe's.
#include "runtime/compile.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <thread>
#include <tilewright/error.hpp>

#include "runtime/atomic_file.hpp"
#include "runtime/cache.hpp"
#include "runtime/surroundings.hpp"

using namespace tilewright;
using namespace tilewright::runtime;
using test::ScopedVariable;
using test::TemporaryFolder;

namespace {

const std::string kernel =
    "extern \"C\" __global__ void probe(int* x) { x[threadIdx.x] += 1; }  // user.cpp:3\n";

FILE* start_probe(const std::string& text) {
  return popen(("'" TILEWRIGHT_COMPILE_PROBE "' '" + text + "' 2>&1").c_str(), "r");
}

std::string finish_probe(FILE* process) {
  std::string output;
  for (int c; (c = std::fgetc(process)) != EOF;) output += static_cast<char>(c);
  pclose(process);
  return output;
}

std::string probe(const std::string& text) { return finish_probe(start_probe(text)); }

}  // namespace

TEST_CASE("a warm start opens no NVRTC, even in a new process") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", folder.path().string());
  CHECK(probe(kernel) == "compiled, NVRTC opened\n");
  CHECK(probe(kernel) == "cached, NVRTC not opened\n");
  // Another comment is the same program; another line is not.
  CHECK(probe(kernel.substr(0, kernel.find("//")) + "// moved.cpp:99\n") ==
        "cached, NVRTC not opened\n");
  CHECK(probe("\n" + kernel) == "compiled, NVRTC opened\n");
  {
    ScopedVariable off("TILEWRIGHT_CACHE", "off");
    CHECK(probe(kernel) == "compiled, NVRTC opened\n");
  }
  // Without the remembered identity NVRTC is asked again, and the entry is still right.
  std::filesystem::remove(folder.path() / "nvrtc-identities");
  CHECK(probe(kernel) == "cached, NVRTC opened\n");
  std::ofstream(folder.path() / "nvrtc-identities") << "nonsense\n\t\t\t\n";
  CHECK(probe(kernel) == "cached, NVRTC opened\n");
  CHECK(probe(kernel) == "cached, NVRTC not opened\n");
}

TEST_CASE("a remembered NVRTC that changed on disk is asked again") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", folder.path().string());
  probe(kernel);
  std::string record = *read_file(folder.path() / "nvrtc-identities");
  const auto tab = record.find('\t', record.find('\t') + 1);  // before the size
  record[tab + 1] = record[tab + 1] == '9' ? '8' : '9';
  REQUIRE(!write_atomically(folder.path() / "nvrtc-identities", record));
  CHECK(probe(kernel) == "cached, NVRTC opened\n");
}

TEST_CASE("processes that want one key at once compile it once") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", folder.path().string());
  probe(kernel + "// fills the identity file\n");
  const std::string text = "extern \"C\" __global__ void probe(int* x) { *x = 7; }";
  FILE* processes[3];
  for (FILE*& process : processes) process = start_probe(text);
  int compiled = 0, cached = 0;
  for (FILE* process : processes) {
    const std::string output = finish_probe(process);
    compiled += output == "compiled, NVRTC opened\n";
    cached += output == "cached, NVRTC not opened\n";
  }
  CHECK(compiled == 1);
  CHECK(cached == 2);
}

TEST_CASE("options, architecture and kind are part of the key") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", folder.path().string());
  const auto one = compile_image(kernel, "probe", "sm_80", ImageKind::cubin);
  CHECK(compile_image(kernel, "probe", "sm_80", ImageKind::cubin).from_cache);
  CHECK(one.key.size() == 32);
  const auto ptx = compile_image(kernel, "probe", "sm_80", ImageKind::ptx);
  const auto newer = compile_image(kernel, "probe", "sm_90a", ImageKind::cubin);
  const auto option =
      compile_image(kernel, "probe", "sm_80", ImageKind::cubin, {{"--maxrregcount=32"}});
  for (const auto* other : {&ptx, &newer, &option}) {
    CHECK_FALSE(other->from_cache);
    CHECK(other->key != one.key);
  }
  CHECK(ptx.bytes.find(".target sm_80") != std::string::npos);
  CHECK(Cache(folder.path()).list().size() == 4);
}

TEST_CASE("a malformed architecture is refused before anything is opened") {
  for (const char* wrong :
       {"", "80", "sm_", "sm_8", "compute_80", "sm_80b", "sm_80;rm", "sm_90aa"}) {
    CAPTURE(wrong);
    try {
      compile_image(kernel, "probe", wrong, ImageKind::cubin);
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::invalid_argument);
      CHECK(std::string(error.id()) == "architecture-malformed");
      CHECK(error.argument() == "architecture");
      CHECK(error.value() == wrong);
    }
  }
}

TEST_CASE("dumps hold the text as given, also for a cached image, under a harmless name") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", (folder.path() / "cache").string());
  ScopedVariable dumps("TILEWRIGHT_DUMP_DIR", (folder.path() / "dumps").string());
  for (int pass = 0; pass < 2; ++pass) {
    std::filesystem::remove_all(folder.path() / "dumps");
    const auto image = compile_image(kernel, "../probe one", "sm_80", ImageKind::ptx);
    CHECK(image.from_cache == (pass == 1));
    CHECK(read_file(folder.path() / "dumps" / "___probe_one.cu") == kernel);
    CHECK(read_file(folder.path() / "dumps" / "___probe_one.ptx") == image.bytes);
  }
  CHECK_FALSE(std::filesystem::exists(folder.path() / "probe one.cu"));

  std::ofstream(folder.path() / "file") << "in the way";
  ScopedVariable blocked("TILEWRIGHT_DUMP_DIR", (folder.path() / "file" / "x").string());
  CHECK(compile_image(kernel, "../probe one", "sm_80", ImageKind::ptx).from_cache);
}
