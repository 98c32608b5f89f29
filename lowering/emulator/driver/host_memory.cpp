// Entry points for host memory the driver knows of: page-locked allocations and registered ranges.
//
// The emulator needs neither, so they are ordinary memory with the driver's rules about what may be
// freed. Kernels cannot reach host memory: asking for its device address is refused.
// Look next at pointers.cpp, which tells what an address is.
#include "emulator/driver/host_memory.hpp"

#include <cstdlib>
#include <map>

#include "emulator/driver/graphs.hpp"

namespace tilewright::emulator::driver {
namespace {

constexpr std::size_t page = 4096;
std::mutex host_mutex;
std::map<std::uintptr_t, std::size_t> allocated, registered;  // start -> bytes, under host_mutex

bool overlaps(const std::map<std::uintptr_t, std::size_t>& ranges, std::uintptr_t first,
              std::size_t bytes) {
  auto after = ranges.lower_bound(first);
  if (after != ranges.end() && after->first < first + bytes) return true;
  return after != ranges.begin() && std::prev(after)->first + std::prev(after)->second > first;
}

void* allocate(std::size_t bytes) {
  require(bytes != 0);
  require(bytes <= SIZE_MAX - page, CUDA_ERROR_OUT_OF_MEMORY);
  void* memory = std::aligned_alloc(page, (bytes + page - 1) / page * page);
  require(memory != nullptr, CUDA_ERROR_OUT_OF_MEMORY);
  std::scoped_lock lock(host_mutex);
  allocated[reinterpret_cast<std::uintptr_t>(memory)] = bytes;
  return memory;
}

}  // namespace

bool is_known_host_memory(std::uint64_t address) {
  std::scoped_lock lock(host_mutex);
  return overlaps(allocated, address, 1) || overlaps(registered, address, 1);
}

}  // namespace tilewright::emulator::driver

using namespace tilewright::emulator::driver;

extern "C" {

CUresult CUDAAPI cuMemAllocHost(void** pointer, std::size_t bytes) {
  return guarded([&] {
    current_context();
    forbid_while_capturing();
    require(pointer != nullptr);
    *pointer = allocate(bytes);
  });
}

CUresult CUDAAPI cuMemHostAlloc(void** pointer, std::size_t bytes, unsigned int flags) {
  return guarded([&] {
    current_context();
    forbid_while_capturing();
    require(pointer != nullptr);
    constexpr unsigned known = CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_WRITECOMBINED;
    require((flags & CU_MEMHOSTALLOC_DEVICEMAP) == 0, CUDA_ERROR_NOT_SUPPORTED);
    require((flags & ~known) == 0);
    *pointer = allocate(bytes);
  });
}

CUresult CUDAAPI cuMemFreeHost(void* pointer) {
  return guarded([&] {
    std::scoped_lock lock(host_mutex);
    require(allocated.erase(reinterpret_cast<std::uintptr_t>(pointer)) == 1);
    std::free(pointer);
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
    require(!overlaps(registered, first, bytes) && !overlaps(allocated, first, bytes),
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
    std::scoped_lock lock(host_mutex);
    require(overlaps(allocated, reinterpret_cast<std::uintptr_t>(pointer), 1));
    *flags = 0;
  });
}

CUresult CUDAAPI cuMemHostGetDevicePointer(CUdeviceptr*, void*, unsigned int) {
  return guarded([] { throw Failure{CUDA_ERROR_NOT_SUPPORTED}; });
}

}  // extern "C"
