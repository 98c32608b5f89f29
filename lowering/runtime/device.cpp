// Chooses a driver from the device's name, then a context: the caller's current one when it is on
// that device, so that Tilewright joins a program's own streams and memory, else the primary one.
// Next: driver.cpp for how the libraries are found.
#include "runtime/device.hpp"

#include <charconv>
#include <cstdio>
#include <optional>
#include <tilewright/error.hpp>
#include <utility>

#include "runtime/environment.hpp"
#include "runtime/errors.hpp"
#include "runtime/log.hpp"

namespace tilewright::runtime {

struct Device::State {
  std::shared_ptr<const Driver> driver;
  CUdevice handle = 0;
  CUcontext context = nullptr;
  bool retained = false;
  int ordinal = 0;
  std::string spec;
  std::string name;
  int major = 0;
  int minor = 0;
  int sm_count = 0;
  int shared_bytes_per_block = 0;
  int shared_bytes_per_sm = 0;
  int registers_per_sm = 0;
  std::size_t total_memory = 0;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (retained) driver->primary_context_release(handle);
  }
};

namespace {

constexpr const char* allowed_specs = "cuda:<number>, emulator:sm_80, emulator:sm_90a, auto";

Error unknown_spec(const std::string& spec, bool from_environment) {
  return Error(errors::runtime["device-unknown"], "no such device",
               {from_environment ? "TILEWRIGHT_DEVICE" : "device", spec, allowed_specs, ""});
}

/// The ordinal of "cuda:<number>", or nothing when it is not such a name.
std::optional<int> cuda_ordinal(const std::string& spec) {
  if (spec.rfind("cuda:", 0) != 0) return std::nullopt;
  int ordinal = -1;
  const char* end = spec.data() + spec.size();
  const auto [stop, error] = std::from_chars(spec.data() + 5, end, ordinal);
  if (error != std::errc{} || stop != end || ordinal < 0) return std::nullopt;
  return ordinal;
}

std::shared_ptr<const Driver> required_nvidia(const std::string& spec) {
  if (auto driver = Driver::nvidia()) return driver;
  const ErrorEntry& entry = errors::runtime["gpu-driver-not-found"];
  throw Error(
      entry,
      "no NVIDIA driver on this machine (libcuda.so.1 was not found). " + std::string(entry.remedy),
      {"device", spec, "emulator:sm_80, emulator:sm_90a", ""});
}

}  // namespace

Device Device::open(const std::string& spec) {
  const bool from_environment = spec.empty();
  const std::string wanted = from_environment ? environment::device() : spec;
  if (wanted.empty() || wanted == "auto") {
    if (auto driver = Driver::nvidia()) return on(driver, 0, "cuda:0");
    Device device = emulated("sm_80");
    warn_once("no-gpu",
              "no NVIDIA driver found: running on the emulator (emulator:sm_80). Set "
              "TILEWRIGHT_DEVICE=emulator:sm_80 to choose it without this line");
    return device;
  }
  if (const auto ordinal = cuda_ordinal(wanted))
    return on(required_nvidia(wanted), *ordinal, "cuda:" + std::to_string(*ordinal));
  if (wanted == "emulator:sm_80") return emulated("sm_80");
  if (wanted == "emulator:sm_90a") return emulated("sm_90a");
  throw unknown_spec(wanted, from_environment);
}

Device Device::emulated(const std::string& architecture) {
  auto driver = Driver::emulated();
  int count = 0;
  driver->check(driver->device_get_count(&count), "cuDeviceGetCount");
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    CUdevice handle = 0;
    int major = 0;
    driver->check(driver->device_get(&handle, ordinal), "cuDeviceGet");
    driver->check(
        driver->device_get_attribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, handle),
        "cuDeviceGetAttribute");
    if (major == (architecture == "sm_80" ? 8 : 9))
      return on(driver, ordinal, "emulator:" + architecture);
  }
  throw Error(errors::runtime["emulator-device-not-there"], "this emulator has no such device",
              {"device", "emulator:" + architecture, "", ""});
}

Device Device::on(std::shared_ptr<const Driver> driver, int ordinal, const std::string& spec) {
  auto state = std::make_shared<State>();
  state->spec = spec;
  const Driver& api = *driver;
  state->driver = std::move(driver);
  state->ordinal = ordinal;

  int count = 0;
  api.check(api.device_get_count(&count), "cuDeviceGetCount");
  if (ordinal >= count)
    throw Error(
        errors::runtime["gpu-not-there"],
        "this machine has " + std::to_string(count) + " CUDA device" + (count == 1 ? "" : "s"),
        {"device", "cuda:" + std::to_string(ordinal),
         count ? "cuda:0 to cuda:" + std::to_string(count - 1) : "emulator:sm_80", ""});
  api.check(api.device_get(&state->handle, ordinal), "cuDeviceGet");

  char text[256] = {};
  api.check(api.device_get_name(text, sizeof text - 1, state->handle), "cuDeviceGetName");
  state->name = text;
  api.check(api.device_total_memory(&state->total_memory, state->handle), "cuDeviceTotalMem");
  const auto attribute = [&](CUdevice_attribute which) {
    int value = 0;
    api.check(api.device_get_attribute(&value, which, state->handle), "cuDeviceGetAttribute");
    return value;
  };
  state->major = attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
  state->minor = attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  state->sm_count = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  state->shared_bytes_per_block = attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
  state->shared_bytes_per_sm = attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR);
  state->registers_per_sm = attribute(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR);

  CUcontext current = nullptr;
  CUdevice current_device = -1;
  if (api.context_get_current(&current) == CUDA_SUCCESS && current &&
      api.context_get_device(&current_device) == CUDA_SUCCESS && current_device == state->handle) {
    state->context = current;
  } else {
    api.check(api.primary_context_retain(&state->context, state->handle),
              "cuDevicePrimaryCtxRetain");
    state->retained = true;
  }
  return Device(std::move(state));
}

const std::string& Device::name() const { return state_->name; }
int Device::ordinal() const { return state_->ordinal; }
int Device::compute_major() const { return state_->major; }
int Device::compute_minor() const { return state_->minor; }
int Device::arch() const { return state_->major * 10 + state_->minor; }
int Device::sm_count() const { return state_->sm_count; }
int Device::shared_bytes_per_block() const { return state_->shared_bytes_per_block; }
int Device::shared_bytes_per_sm() const { return state_->shared_bytes_per_sm; }
int Device::registers_per_sm() const { return state_->registers_per_sm; }
std::size_t Device::total_memory() const { return state_->total_memory; }
bool Device::is_emulator() const { return state_->driver->is_emulator; }
const Driver& Device::driver() const { return *state_->driver; }
CUcontext Device::context() const { return state_->context; }
CUdevice Device::handle() const { return state_->handle; }

std::string architecture_name(int arch) {
  // From Hopper on, the instructions that matter for tiles are in the "a" set of one architecture.
  return "sm_" + std::to_string(arch) + (arch >= 90 ? "a" : "");
}

std::string Device::architecture() const { return architecture_name(arch()); }

std::string Device::spec() const { return state_->spec; }

std::string Device::place() const {
  if (state_->retained) return spec();
  char text[32];
  std::snprintf(text, sizeof text, "%p", static_cast<void*>(context()));
  return spec() + " in context " + text;
}

const EmulatorControls* Device::emulator() const {
  return is_emulator() ? &state_->driver->emulator : nullptr;
}

void Device::synchronize() const {
  ContextScope scope(*this);
  driver().check(driver().context_synchronize(), "waiting for " + name());
}

bool operator==(const Device& a, const Device& b) {
  return a.state_->driver == b.state_->driver && a.state_->handle == b.state_->handle &&
         a.state_->context == b.state_->context;
}

ContextScope::ContextScope(const Device& device) : driver_(device.driver()) {
  CUcontext current = nullptr;
  if (driver_.context_get_current(&current) == CUDA_SUCCESS && current == device.context()) return;
  driver_.check(driver_.context_push(device.context()), "cuCtxPushCurrent");
  pushed_ = true;
}

ContextScope::~ContextScope() {
  CUcontext ignored = nullptr;
  if (pushed_) driver_.context_pop(&ignored);
}

}  // namespace tilewright::runtime
