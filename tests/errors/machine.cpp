// Errors of devices, memory, modules, the cache and NVRTC, on the emulator and with a stand-in for
// NVRTC. Drivers that are wrong are opened by machine.sh, a process for each.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "provoked.hpp"
#include "runtime/cache.hpp"
#include "runtime/cache_folder.hpp"
#include "runtime/compile.hpp"
#include "runtime/cubin_info.hpp"
#include "runtime/errors.hpp"
#include "runtime/memory.hpp"
#include "runtime/module.hpp"
#include "runtime/nvrtc.hpp"
#include "runtime/stream.hpp"
#include "runtime/surroundings.hpp"

using namespace tilewright;
using namespace tilewright::runtime;
using namespace tilewright::test;

namespace {

const char* const nothing = "extern \"C\" __global__ void nothing() {}";

}  // namespace

TEST_CASE("memory of a device") {
  const Device device = Device::open("emulator:sm_80");
  CHECK(provoked(errors::runtime["out-of-device-memory"], [&] {
          (void)Buffer(device, std::size_t{1} << 50);
        }).argument() == "bytes");
  Buffer buffer(device, 16);
  std::vector<char> host(32);
  CHECK(provoked(errors::runtime["buffer-range"], [&] {
          buffer.upload(host.data(), 32);
        }).allowed() == "within 16 bytes");
  provoked(errors::runtime["buffer-range"], [&] { buffer.download(host.data(), 8, 9); });
  provoked(errors::runtime["host-pointer-null"], [&] { buffer.upload(nullptr, 8); });
}

TEST_CASE("modules, and launches that a device cannot take") {
  TemporaryFolder folder;
  ScopedVariable cache("TILEWRIGHT_CACHE_DIR", folder.path().string());
  const Device device = Device::open("emulator:sm_80"), other = Device::open("emulator:sm_90a");
  const CompiledKernel kernel = compile_kernel(device, nothing, "nothing");
  const Module module = Module::load(device, kernel.image);
  provoked(errors::runtime["kernel-not-in-image"], [&] { (void)module.function("something"); });
  CHECK(provoked(errors::runtime["shared-memory-per-block"], [&] {
          kernel.function.set_dynamic_shared(1 << 20);
        }).value() == "1048576 bytes");
  CHECK(provoked(errors::runtime["stream-of-another-device"], [&] {
          kernel.function.launch({1}, {32}, 0, Stream::default_stream(other), nullptr);
        }).value() == "emulator:sm_90a");
  const Stream foreign(other);
  provoked(errors::runtime["stream-of-another-device"],
           [&] { (void)Stream::wrap(device, foreign.handle()); });
  CompiledImage machine_code = compile_image(nothing, "nothing", "sm_80", ImageKind::cubin);
  provoked(errors::runtime["image-unsupported"], [&] { (void)Module::load(device, machine_code); });
  CompiledImage broken = kernel.image;
  broken.bytes = ".version 8.0\n.target sm_80\n.address_size 64\n.entry {";
  provoked(errors::runtime["module-not-loaded"], [&] { (void)Module::load(device, broken); });
  provoked(errors::runtime["cubin-unusable"], [] { (void)inspect_cubin("no ELF file"); });
}

TEST_CASE("a cache entry in a folder that may not be written stays, and is named") {
  TemporaryFolder folder;
  ::chmod(folder.path().c_str(), 0755);
  const auto entry = entry_path(folder.path(), "abcdef");
  std::filesystem::create_directories(entry.parent_path());
  std::ofstream(entry) << "an image";
  ::chmod(entry.parent_path().c_str(), 0555);
  const bool privileged = ::geteuid() == 0;  // root may write anything: be nobody for a moment
  if (privileged) REQUIRE(::seteuid(65534) == 0);
  const Error error = provoked(errors::runtime["cache-entry-not-removed"],
                               [&] { (void)Cache(folder.path()).clear(); });
  if (privileged) REQUIRE(::seteuid(0) == 0);
  ::chmod(entry.parent_path().c_str(), 0755);
  CHECK(error.value() == entry.string());
}

TEST_CASE("an NVRTC that says yes and gives nothing") {
  ScopedVariable path("TILEWRIGHT_NVRTC_PATH", TILEWRIGHT_EMPTY_NVRTC);
  const auto nvrtc = Nvrtc::load();
  CHECK(nvrtc->version() == "99.0");
  provoked(errors::runtime["nvrtc-empty-image"],
           [&] { (void)nvrtc->compile(nothing, "nothing", "sm_80", ImageKind::ptx, {}); });
}
