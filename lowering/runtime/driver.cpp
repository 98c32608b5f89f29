// Opens a driver library and fills the table by exported symbol. A missing required symbol refuses
// the library by the symbol's name: a half-filled table would crash at the first call instead.
// Next: tests/runtime/device_test.cpp.
#include "runtime/driver.hpp"

#include <filesystem>
#include <mutex>
#include <tilewright/error.hpp>
#include <vector>

#include "runtime/errors.hpp"
#include "runtime/log.hpp"
#include "runtime/shared_library.hpp"

namespace tilewright::runtime {
namespace {

template <class Function>
bool resolve(const SharedLibrary& library, const char* symbol, Function*& function) {
  void* address = library.find(symbol);
  // CUDA 13's header maps some names to a _v2 with the same signature.
  if (!address) address = library.find((std::string(symbol) + "_v2").c_str());
  function = reinterpret_cast<Function*>(address);
  return address != nullptr;
}

std::shared_ptr<const Driver> fill(const SharedLibrary& library, const std::string& name) {
  auto driver = std::make_shared<Driver>();
  std::string missing;
#define TILEWRIGHT_RESOLVE(member, symbol, ...) \
  if (!resolve(library, symbol, driver->member)) missing += std::string(" ") + symbol;
  TILEWRIGHT_DRIVER_FUNCTIONS(TILEWRIGHT_RESOLVE)
#undef TILEWRIGHT_RESOLVE
  if (!missing.empty())
    throw Error(errors::runtime["driver-too-old"],
                name + " lacks functions Tilewright needs:" + missing,
                {"driver", name, "a driver for CUDA 12.0 or newer", ""});
#define TILEWRIGHT_RESOLVE(member, symbol, ...) resolve(library, symbol, driver->member);
  TILEWRIGHT_DRIVER_OPTIONAL_FUNCTIONS(TILEWRIGHT_RESOLVE)
#undef TILEWRIGHT_RESOLVE

  EmulatorControls& emulator = driver->emulator;
  const bool configure = resolve(library, "tilewright_emulator_configure", emulator.configure);
  const bool counters = resolve(library, "tilewright_emulator_counters", emulator.counters);
  const bool faults = resolve(library, "tilewright_emulator_faults", emulator.faults);
  const bool reset = resolve(library, "tilewright_emulator_reset", emulator.reset);
  driver->is_emulator = configure && counters && faults && reset;
  driver->file = SharedLibrary::file_of(reinterpret_cast<const void*>(driver->init)).string();
  log_debug("driver " + driver->file);
  return driver;
}

void start(const Driver& driver, const std::string& name) {
  const CUresult result = driver.init(0);
  if (result == CUDA_SUCCESS) return;
  const ErrorEntry& entry = errors::runtime["gpu-driver-does-not-start"];
  throw Error(
      entry,
      name + " is installed but does not start: " + driver.describe(result) + ". " + entry.remedy,
      {"device", "", "", ""});
}

std::vector<std::string> emulator_locations() {
  const char* file_name = "libtilewright_emulator.so";
  const std::filesystem::path here = folder_of_this_binary();
  std::vector<std::string> places{(here / file_name).string(),
                                  (here.parent_path() / "lib" / file_name).string()};
  places.emplace_back(file_name);  // the dynamic linker's own search, this program's RUNPATH first
  return places;
}

std::shared_ptr<const Driver> open_emulator() {
  std::string searched;
  for (const std::string& place : emulator_locations()) {
    SharedLibrary::Failure failure;
    if (auto library = SharedLibrary::open(place, failure)) {
      auto driver = fill(*library, place);
      if (!driver->is_emulator)
        throw Error(errors::runtime["emulator-not-ours"], place + " is not Tilewright's emulator",
                    {"device", place, "libtilewright_emulator.so of this version", ""});
      start(*driver, place);
      return driver;
    }
    searched += "\n  " + place + (failure.absent ? "" : ": " + failure.reason);
  }
  const ErrorEntry& entry = errors::runtime["emulator-not-found"];
  throw Error(
      entry,
      "the emulator library was not found. " + std::string(entry.remedy) + " Searched:" + searched,
      {"device", "", "", ""});
}

std::shared_ptr<const Driver> open_nvidia() {
  const std::string name = "libcuda.so.1";
  SharedLibrary::Failure failure;
  auto library = SharedLibrary::open(name, failure);
  if (!library && failure.absent) return nullptr;
  if (!library) {
    const ErrorEntry& entry = errors::runtime["gpu-driver-not-loadable"];
    throw Error(
        entry,
        "libcuda.so.1 is installed but cannot be loaded: " + failure.reason + ". " + entry.remedy,
        {"device", "", "", ""});
  }
  auto driver = fill(*library, name);
  start(*driver, name);
  return driver;
}

/// Opened at most once; a failure is not remembered, so a driver installed later is found.
struct OpenedOnce {
  std::mutex mutex;
  std::shared_ptr<const Driver> driver;

  template <class Open>
  std::shared_ptr<const Driver> get(Open open) {
    std::lock_guard lock(mutex);
    if (!driver) driver = open();
    return driver;
  }
};

}  // namespace

std::string Driver::describe(CUresult result) const {
  const char* error_name = nullptr;
  const char* sentence = nullptr;
  if (get_error_name(result, &error_name) != CUDA_SUCCESS || !error_name)
    return "CUDA result " + std::to_string(static_cast<int>(result));
  if (get_error_string(result, &sentence) != CUDA_SUCCESS || !sentence) return error_name;
  return std::string(error_name) + " (" + sentence + ")";
}

void Driver::check(CUresult result, const std::string& what) const {
  if (result == CUDA_SUCCESS) return;
  throw Error(errors::runtime["driver-call-failed"], what + ": " + describe(result));
}

std::shared_ptr<const Driver> Driver::nvidia() {
  static auto* once = new OpenedOnce;  // outlives every static object that still holds a buffer
  return once->get(open_nvidia);
}

std::shared_ptr<const Driver> Driver::emulated() {
  static auto* once = new OpenedOnce;
  return once->get(open_emulator);
}

}  // namespace tilewright::runtime
