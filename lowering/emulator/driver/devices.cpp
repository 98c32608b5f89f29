// Entry points about the driver and its devices: initialisation, counts, names, attributes.
//
// Look next at device_traits.cpp for the answers, contexts.cpp for what comes after.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>

#include "emulator/driver/state.hpp"

namespace tilewright::emulator::driver {
namespace {
std::atomic<bool> initialized{false};
}  // namespace

bool is_initialized() { return initialized; }

}  // namespace tilewright::emulator::driver

using namespace tilewright::emulator::driver;

extern "C" {

CUresult CUDAAPI cuInit(unsigned int flags) {
  return guarded_always([&] {
    require(flags == 0);
    State::get();
    initialized = true;
  });
}

CUresult CUDAAPI cuDriverGetVersion(int* version) {
  return guarded_always([&] {
    require(version != nullptr);
    *version = CUDA_VERSION;
  });
}

CUresult CUDAAPI cuDeviceGetCount(int* count) {
  return guarded([&] {
    require(count != nullptr);
    *count = State::device_count;
  });
}

CUresult CUDAAPI cuDeviceGet(CUdevice* device, int ordinal) {
  return guarded([&] {
    require(device != nullptr);
    *device = device_of(ordinal).ordinal;
  });
}

CUresult CUDAAPI cuDeviceGetName(char* name, int length, CUdevice device) {
  return guarded([&] {
    const std::string full = device_of(device).traits->name;
    require(name != nullptr && length > 0);
    const auto kept = std::min(full.size(), static_cast<std::size_t>(length) - 1);
    std::memcpy(name, full.data(), kept);
    name[kept] = '\0';
  });
}

CUresult CUDAAPI cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device) {
  return guarded([&] {
    const int ordinal = device_of(device).ordinal;
    require(uuid != nullptr);
    std::memcpy(uuid->bytes, "TilewrightEmu00", 16);
    uuid->bytes[15] = static_cast<char>(ordinal);
  });
}

CUresult CUDAAPI cuDeviceTotalMem(std::size_t* bytes, CUdevice device) {
  return guarded([&] {
    const Device& found = device_of(device);
    require(bytes != nullptr);
    *bytes = found.traits->total_memory;
  });
}

CUresult CUDAAPI cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice device) {
  return guarded([&] {
    const Device& found = device_of(device);
    require(value != nullptr);
    int answer = 0;
    require(device_attribute(*found.traits, found.ordinal, attribute, answer));
    *value = answer;
  });
}

CUresult CUDAAPI cuDeviceComputeCapability(int* major, int* minor, CUdevice device) {
  return guarded([&] {
    const Device& found = device_of(device);
    require(major != nullptr && minor != nullptr);
    *major = found.traits->major;
    *minor = found.traits->minor;
  });
}

CUresult CUDAAPI cuDeviceGetPCIBusId(char* id, int length, CUdevice device) {
  return guarded([&] {
    const int ordinal = device_of(device).ordinal;
    require(id != nullptr && length > 0);
    std::snprintf(id, static_cast<std::size_t>(length), "0000:00:%02x.0", ordinal);
  });
}

CUresult CUDAAPI cuDeviceGetByPCIBusId(CUdevice* device, const char* id) {
  return guarded([&] {
    require(device != nullptr && id != nullptr);
    unsigned domain = 0, bus = 0, slot = 0;
    const bool with_domain = std::sscanf(id, "%x:%x:%x", &domain, &bus, &slot) == 3;
    require(with_domain || std::sscanf(id, "%x:%x", &bus, &slot) == 2);
    require(domain == 0 && bus == 0, CUDA_ERROR_INVALID_DEVICE);
    *device = device_of(static_cast<int>(slot)).ordinal;
  });
}

CUresult CUDAAPI cuDeviceCanAccessPeer(int* can_access, CUdevice device, CUdevice peer) {
  return guarded([&] {
    device_of(device);
    device_of(peer);
    require(can_access != nullptr);
    *can_access = 0;  // kernels reach only their own device's memory
  });
}

CUresult CUDAAPI cuProfilerStart() {
  return guarded([] {});
}
CUresult CUDAAPI cuProfilerStop() {
  return guarded([] {});
}

}  // extern "C"
