// See doctor.hpp: the examination itself.
#include <unistd.h>

#include <fmt/core.h>
#include <filesystem>
#include <tilewright/error.hpp>

#include "command/doctor.hpp"
#include "runtime/cache.hpp"
#include "runtime/device.hpp"
#include "runtime/environment.hpp"
#include "runtime/errors.hpp"
#include "runtime/nvrtc.hpp"

namespace tilewright::command {
namespace {

void examine_nvrtc(Examination& examination) {
  Finding& finding = examination.nvrtc;
  std::vector<std::string> notes;
  if (const auto nvrtc = runtime::Nvrtc::find(notes)) {
    finding = {true, nvrtc->version(), nvrtc->file().string(), "", ""};
    examination.nvrtc_architectures = nvrtc->architectures();
    return;
  }
  std::string problem = "libnvrtc.so was not found. Searched:";
  for (const std::string& note : notes) problem += "\n  " + note;
  finding = {false, "", "", problem, errors::runtime["nvrtc-not-found"].remedy};
}

/// An error's sentence without its remedy, which has a field of its own.
void take_problem(Finding& finding, const Error& error) {
  finding.problem = error.what();
  const std::size_t at = finding.problem.find(error.remedy());
  if (at != std::string::npos) finding.problem.erase(at, std::string(error.remedy()).size());
  while (finding.problem.ends_with(' ')) finding.problem.pop_back();
  finding.install = error.remedy();
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
      finding = {false, "", "", "libcuda.so.1 was not found",
                 errors::runtime["gpu-driver-not-found"].remedy};
      return;
    }
    finding = {true, cuda_version(*driver), driver->file, "", ""};
    int count = 0;
    driver->check(driver->device_get_count(&count), "cuDeviceGetCount");
    for (int i = 0; i < count; ++i) add_device(examination, fmt::format("cuda:{}", i));
  } catch (const Error& error) {
    take_problem(finding, error);
  }
}

void examine_emulator(Examination& examination) {
  Finding& finding = examination.emulator;
  try {
    const auto driver = runtime::Driver::emulated();
    finding = {true, cuda_version(*driver), driver->file, "", ""};
    for (const char* spec : {"emulator:sm_80", "emulator:sm_90a"}) add_device(examination, spec);
  } catch (const Error& error) {
    take_problem(finding, error);
  }
}

/// The nearest folder above that exists decides whether the cache can be created.
bool can_write(std::filesystem::path path) {
  std::error_code code;
  while (!path.empty() && !std::filesystem::exists(path, code)) {
    if (path == path.parent_path()) return false;
    path = path.parent_path();
  }
  return std::filesystem::is_directory(path, code) && ::access(path.c_str(), W_OK | X_OK) == 0;
}

void examine_cache(Examination& examination) {
  CacheFinding& finding = examination.cache;
  const std::filesystem::path root = runtime::environment::cache_directory();
  finding.path = root.string();
  finding.writable = can_write(root);
  try {
    finding.limit = runtime::environment::cache_limit();
    if (finding.limit != 0 && !finding.writable) {
      finding.problem = root.empty() ? "the cache has no folder: HOME is not set"
                                     : "the folder cannot be written: every run compiles anew";
      finding.install = errors::runtime["cache-not-writable"].remedy;
    }
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
