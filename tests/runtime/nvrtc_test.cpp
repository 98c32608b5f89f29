// Finding NVRTC, not finding it, and what it says about texts and architectures.
#include "runtime/nvrtc.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <optional>
#include <thread>
#include <tilewright/error.hpp>

#include "runtime/nvrtc_search.hpp"
#include "runtime/surroundings.hpp"

using namespace tilewright;
using namespace tilewright::runtime;
using test::ScopedVariable;
using test::TemporaryFolder;

namespace {

const char* const doubling = R"(
extern "C" __global__ void doubling(float* x) { x[threadIdx.x] *= 2.f; })";

/// What load() throws, or nothing.
std::optional<Error> refusal() {
  try {
    Nvrtc::load();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("NVRTC is found by itself, and by its file and its folder") {
  const auto nvrtc = Nvrtc::load();
  CHECK(nvrtc->major() >= 12);
  CHECK(std::filesystem::exists(nvrtc->file()));
  const auto known = nvrtc->architectures();
  CHECK(std::find(known.begin(), known.end(), 80) != known.end());

  // A tree like PyPI's, made of links to the real files.
  TemporaryFolder site;
  const auto layout = site.path() / "nvidia" / "cu13" / "lib";
  std::filesystem::create_directories(layout);
  for (const auto& item : std::filesystem::directory_iterator(nvrtc->file().parent_path()))
    if (item.path().filename().string().rfind("libnvrtc", 0) == 0)
      std::filesystem::create_symlink(item.path(), layout / item.path().filename());
  for (const std::filesystem::path& given :
       {nvrtc->file(), nvrtc->file().parent_path(), site.path(), layout}) {
    CAPTURE(given);
    ScopedVariable path("TILEWRIGHT_NVRTC_PATH", given.string());
    const auto search = search_nvrtc();
    REQUIRE_FALSE(search.candidates.empty());
    CHECK(Nvrtc::load()->version() == nvrtc->version());
  }
}

TEST_CASE("a named place without NVRTC is an error that lists the place and the remedy") {
  TemporaryFolder empty;
  ScopedVariable path("TILEWRIGHT_NVRTC_PATH", empty.path().string());
  const auto error = refusal();
  REQUIRE(error.has_value());
  CHECK(error->kind() == ErrorKind::missing);
  CHECK(std::string(error->id()) == "nvrtc-not-found");
  CHECK(error->argument() == "nvrtc");
  const std::string text = error->what();
  CHECK(text.find(empty.path().string()) != std::string::npos);
  CHECK(text.find("pip install --target ~/nvrtc nvidia-cuda-nvrtc") != std::string::npos);
}

TEST_CASE("a file that is no library, and one that is another library, are refused") {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "libnvrtc.so.13") << "not a library";
  ScopedVariable path("TILEWRIGHT_NVRTC_PATH", folder.path().string());
  REQUIRE(refusal().has_value());
  CHECK(std::string(refusal()->what()).find("libnvrtc.so.13") != std::string::npos);

  ScopedVariable other("TILEWRIGHT_NVRTC_PATH", std::string("/proc/self/exe"));
  REQUIRE(refusal().has_value());
  CHECK(refusal()->kind() == ErrorKind::missing);
}

TEST_CASE("versions before 12 and unrelated names are passed over; the newest major wins") {
  TemporaryFolder folder;
  ScopedVariable path("TILEWRIGHT_NVRTC_PATH", folder.path().string());
  const auto touch = [&](const char* name) { std::ofstream(folder.path() / name) << "x"; };
  touch("libnvrtc.so.11.2");
  touch("libnvrtc-builtins.so.13.0");
  touch("libnvrtc.alt.so.13");
  CHECK(search_nvrtc().candidates.empty());
  touch("libnvrtc.so.12.4.127");
  touch("libnvrtc.so.12");
  touch("libnvrtc.so");
  REQUIRE(search_nvrtc().candidates.size() == 1);
  CHECK(search_nvrtc().candidates[0] == (folder.path() / "libnvrtc.so.12").string());
  touch("libnvrtc.so.13");
  CHECK(search_nvrtc().candidates[0] == (folder.path() / "libnvrtc.so.13").string());
}

TEST_CASE("cubin and PTX, without the working directory in either") {
  const auto nvrtc = Nvrtc::load();
  const auto here = std::filesystem::current_path().string();
  for (const ImageKind kind : {ImageKind::cubin, ImageKind::ptx}) {
    const auto image =
        nvrtc->compile(doubling, "doubling", "sm_80", kind, {"--generate-line-info"});
    CHECK(image.bytes.rfind(kind == ImageKind::ptx ? "//"
                                                   : "\x7f"
                                                     "ELF",
                            0) == 0);
    CHECK(image.bytes.find("doubling.cu") != std::string::npos);
    if (here.size() > 1) CHECK(image.bytes.find(here) == std::string::npos);
    if (kind == ImageKind::ptx) CHECK(image.bytes.back() != '\0');
  }
}

TEST_CASE("a wrong text gives NVRTC's own message; an unknown architecture names the known ones") {
  const auto nvrtc = Nvrtc::load();
  try {
    nvrtc->compile("__global__ void f() {\n  undeclared = 1;\n}", "wrong", "sm_80",
                   ImageKind::cubin, {});
    FAIL("compiled");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::compile_failed);
    CHECK(std::string(error.id()) == "nvrtc-refused");
    CHECK(std::string(error.what()).find("wrong.cu(2)") != std::string::npos);
    CHECK(std::string(error.what()).find("undeclared") != std::string::npos);
  }
  try {
    nvrtc->compile(doubling, "doubling", "sm_13", ImageKind::cubin, {});
    FAIL("compiled");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::unsupported);
    CHECK(std::string(error.id()) == "architecture-unsupported");
    CHECK(error.value() == "sm_13");
    CHECK(error.allowed().find("sm_80") != std::string::npos);
  }
}

TEST_CASE("many threads compile at once") {
  const auto nvrtc = Nvrtc::load();
  const std::string expected =
      nvrtc->compile(doubling, "doubling", "sm_80", ImageKind::ptx, {}).bytes;
  std::atomic<int> same{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i)
    threads.emplace_back([&] {
      same += nvrtc->compile(doubling, "doubling", "sm_80", ImageKind::ptx, {}).bytes == expected;
    });
  for (auto& thread : threads) thread.join();
  CHECK(same == 12);
}
