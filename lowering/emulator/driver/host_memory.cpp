// Entry points for host memory the driver knows of: page-locked allocations and registered ranges.
//
// Page-locked memory lies in the device's range, so kernels reach it at its host address, as
// unified addressing promises whatever the flags. A range that the program allocated itself and
// registered stays where it is, outside that range: asking for its device address is refused. Look
// next at pointers.cpp, which tells what an address is.
#include "emulator/driver/host_memory.hpp"

#include <map>

#include "emulator/driver/graphs.hpp"
#include "emulator/driver/managed.hpp"

namespace tilewright::emulator::driver {
namespace {

std::mutex host_mutex;
std::map<std::uintptr_t, std::size_t> registered;  // start -> bytes, under host_mutex
std::map<std::uintptr_t, unsigned> allocated;      // start -> flags, under host_mutex

bool overlaps_registered(std::uintptr_t first, std::size_t bytes) {
  auto after = registered.lower_bound(first);
  if (after != registered.end() && after->first < first + bytes) return true;
  return after != registered.begin() && std::prev(after)->first + std::prev(after)->second > first;
}

void* allocate_on_host(std::size_t bytes, unsigned flags) {
  const CUdeviceptr memory = allocate(current_context(), bytes, Sharing::page_locked);
  std::scoped_lock lock(host_mutex);
  allocated[memory] = flags;
  return reinterpret_cast<void*>(memory);
}

}  // namespace

bool is_known_host_memory(std::uint64_t address) {
  std::scoped_lock lock(host_mutex);
  return overlaps_registered(address, 1);
}

}  // namespace tilewright::emulator::driver

using namespace tilewright::emulator::driver;

extern "C" {

CUresult CUDAAPI cuMemAllocHost(void** pointer, std::size_t bytes) {
  return guarded([&] {
    forbid_while_capturing();
    require(pointer != nullptr);
    *pointer = allocate_on_host(bytes, 0);
  });
}

CUresult CUDAAPI cuMemHostAlloc(void** pointer, std::size_t bytes, unsigned int flags) {
  return guarded([&] {
    forbid_while_capturing();
    require(pointer != nullptr);
    constexpr unsigned known =
        CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP | CU_MEMHOSTALLOC_WRITECOMBINED;
    require((flags & ~known) == 0);
    *pointer = allocate_on_host(bytes, flags);
  });
}

CUresult CUDAAPI cuMemFreeHost(void* pointer) {
  return guarded([&] {
    forbid_while_capturing();
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    {
      std::scoped_lock lock(host_mutex);
      allocated.erase(address);
    }
    release(address, true);
  });
}

CUresult CUDAAPI cuMemHostRegister(void* pointer, std::size_t bytes, unsigned int flags) {
  return guarded([&] {
    current_context();
    forbid_while_capturing();
    require(bytes != 0);
    require_host_range(pointer, bytes);
    require((flags & CU_MEMHOSTREGISTER_DEVICEMAP) == 0, CUDA_ERROR_NOT_SUPPORTED);
    require((flags & CU_MEMHOSTREGISTER_IOMEMORY) == 0, CUDA_ERROR_NOT_SUPPORTED);
    const auto first = reinterpret_cast<std::uintptr_t>(pointer);
    std::scoped_lock lock(host_mutex);
    require(!overlaps_registered(first, bytes) && sharing_of(first) != Sharing::page_locked,
            CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
    registered[first] = bytes;
  });
}

CUresult CUDAAPI cuMemHostUnregister(void* pointer) {
  return guarded([&] {
    require(pointer != nullptr);
    std::scoped_lock lock(host_mutex);
    require(registered.erase(reinterpret_cast<std::uintptr_t>(pointer)) == 1,
            CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
  });
}

CUresult CUDAAPI cuMemHostGetFlags(unsigned int* flags, void* pointer) {
  return guarded([&] {
    require(flags != nullptr);
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    require(sharing_of(address) == Sharing::page_locked);
    const std::uint64_t first = owner_of(address)->memory().find(address).begin;
    std::scoped_lock lock(host_mutex);
    *flags = allocated[first];
  });
}

CUresult CUDAAPI cuMemHostGetDevicePointer(CUdeviceptr* device, void* pointer, unsigned int flags) {
  return guarded([&] {
    require(device != nullptr && flags == 0);
    const auto context = current_context();
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    require(!is_known_host_memory(address), CUDA_ERROR_NOT_SUPPORTED);
    require(sharing_of(address) == Sharing::page_locked);
    require(context->device->owns(address), CUDA_ERROR_NOT_SUPPORTED);
    *device = address;
  });
}

}  // extern "C"
