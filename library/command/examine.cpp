// See doctor.hpp: the examination itself.
#include <unistd.h>

#include <fmt/core.h>
#include <filesystem>
#include <tilewright/error.hpp>

#include "command/doctor.hpp"
#include "runtime/cache.hpp"
#include "runtime/device.hpp"
#include "runtime/environment.hpp"
#include "runtime/nvrtc.hpp"

namespace tilewright::command {
namespace {

constexpr const char* install_driver =
    "Install it with 'apt-get install nvidia-driver' (Debian, section non-free)";
constexpr const char* build_emulator =
    "Build it with 'cmake --build build --target tilewright_emulator'";

void examine_nvrtc(Examination& examination) {
  Finding& finding = examination.nvrtc;
  try {
    const auto nvrtc = runtime::Nvrtc::load();
    finding = {true, nvrtc->version(), nvrtc->file().string(), "", ""};
    examination.nvrtc_architectures = nvrtc->architectures();
  } catch (const Error& error) {
    finding = {false, "", "", error.what(), runtime::how_to_install_nvrtc()};
  }
}

void add_device(Examination& examination, const std::string& spec) {
  const runtime::Device device = runtime::Device::open(spec);
  examination.devices.push_back({device.spec(), device.name(), device.architecture(),
                                 device.sm_count(), device.total_memory()});
}

std::string cuda_version(const runtime::Driver& driver) {
  int version = 0;
  if (driver.driver_get_version(&version) != CUDA_SUCCESS) return "unknown";
  return fmt::format("CUDA {}.{}", version / 1000, version % 1000 / 10);
}

void examine_gpus(Examination& examination) {
  Finding& finding = examination.gpu_driver;
  try {
    const auto driver = runtime::Driver::nvidia();
    if (!driver) {
      finding = {false, "", "", "libcuda.so.1 was not found", install_driver};
      return;
    }
    finding = {true, cuda_version(*driver), driver->file, "", ""};
    int count = 0;
    driver->check(driver->device_get_count(&count), "cuDeviceGetCount");
    for (int i = 0; i < count; ++i) add_device(examination, fmt::format("cuda:{}", i));
  } catch (const Error& error) {
    finding.problem = error.what();
    finding.install = install_driver;
  }
}

void examine_emulator(Examination& examination) {
  Finding& finding = examination.emulator;
  try {
    const auto driver = runtime::Driver::emulated();
    finding = {true, cuda_version(*driver), driver->file, "", ""};
    for (const char* spec : {"emulator:sm_80", "emulator:sm_90a"}) add_device(examination, spec);
  } catch (const Error& error) {
    finding.problem = error.what();
    finding.install = build_emulator;
  }
}

/// The nearest folder above that exists decides whether the cache can be created.
bool can_write(std::filesystem::path path) {
  std::error_code code;
  while (!path.empty() && !std::filesystem::exists(path, code)) {
    if (path == path.parent_path()) return false;
    path = path.parent_path();
  }
  return !path.empty() && ::access(path.c_str(), W_OK | X_OK) == 0;
}

void examine_cache(Examination& examination) {
  CacheFinding& finding = examination.cache;
  const std::filesystem::path root = runtime::environment::cache_directory();
  finding.path = root.string();
  finding.writable = can_write(root);
  try {
    finding.limit = runtime::environment::cache_limit();
  } catch (const Error& error) {
    finding.problem = error.what();
  }
  for (const runtime::CacheEntry& entry : runtime::Cache(root).list()) {
    ++finding.entries;
    finding.bytes += entry.bytes;
  }
}

}  // namespace

Examination examine() {
  Examination examination;
  examine_nvrtc(examination);
  examine_gpus(examination);
  examine_emulator(examination);
  examine_cache(examination);
  return examination;
}

}  // namespace tilewright::command
