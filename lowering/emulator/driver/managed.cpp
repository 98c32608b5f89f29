// Memory that host and device share: a device address is a host address here and no kernel runs
// while the host does. What the host writes directly is not seen, so all of it counts as
// initialised.
//
// Look next at allocations.cpp. Hints about where it should live change nothing.
#include "emulator/driver/managed.hpp"

#include <cstring>
#include <map>

#undef cuMemPrefetchAsync
#undef cuMemAdvise

namespace tilewright::emulator::driver {
namespace {

std::mutex sharing_mutex;
std::map<std::uint64_t, Sharing> shared;  ///< by first address, under sharing_mutex

}  // namespace

Sharing sharing_of(std::uint64_t address) {
  Device* device = owner_of(address);
  if (device == nullptr) return Sharing::none;
  const std::uint64_t first = device->memory().find(address).begin;
  std::scoped_lock lock(sharing_mutex);
  const auto found = shared.find(first);
  return found == shared.end() ? Sharing::none : found->second;
}

void share_with_host(std::uint64_t address, std::size_t bytes, Sharing sharing) {
  std::memset(reinterpret_cast<void*>(address), 0, bytes);
  owner_of(address)->memory().mark_initialized(address, bytes);
  std::scoped_lock lock(sharing_mutex);
  shared[address] = sharing;
}

void stop_sharing(std::uint64_t address) {
  std::scoped_lock lock(sharing_mutex);
  shared.erase(address);
}

namespace {

void require_managed_range(CUdeviceptr address, std::size_t bytes) {
  require(bytes != 0);
  device_range(address, bytes);
  require(is_managed(address));
}

}  // namespace
}  // namespace tilewright::emulator::driver

using namespace tilewright::emulator::driver;

#define TILEWRIGHT_EXPORT __attribute__((visibility("default")))

extern "C" {

TILEWRIGHT_EXPORT CUresult CUDAAPI cuMemPrefetchAsync(CUdeviceptr address, std::size_t bytes,
                                                      CUdevice device, CUstream stream) {
  return guarded([&] {
    context_of_stream(stream);
    if (device != CU_DEVICE_CPU) device_of(device);
    require_managed_range(address, bytes);
  });
}

TILEWRIGHT_EXPORT CUresult CUDAAPI cuMemPrefetchAsync_v2(CUdeviceptr address, std::size_t bytes,
                                                         CUmemLocation location, unsigned int flags,
                                                         CUstream stream) {
  return guarded([&] {
    context_of_stream(stream);
    require(flags == 0);
    if (location.type == CU_MEM_LOCATION_TYPE_DEVICE) device_of(location.id);
    require_managed_range(address, bytes);
  });
}

TILEWRIGHT_EXPORT CUresult CUDAAPI cuMemAdvise(CUdeviceptr address, std::size_t bytes, CUmem_advise,
                                               CUdevice device) {
  return guarded([&] {
    current_context();
    if (device != CU_DEVICE_CPU) device_of(device);
    require_managed_range(address, bytes);
  });
}

TILEWRIGHT_EXPORT CUresult CUDAAPI cuMemAdvise_v2(CUdeviceptr address, std::size_t bytes,
                                                  CUmem_advise, CUmemLocation location) {
  return guarded([&] {
    current_context();
    if (location.type == CU_MEM_LOCATION_TYPE_DEVICE) device_of(location.id);
    require_managed_range(address, bytes);
  });
}

}  // extern "C"
