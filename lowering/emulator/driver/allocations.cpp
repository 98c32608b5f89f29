// Entry points that allocate and free device memory, and say what is where.
//
// A context owns what was allocated in it. Freeing works in a failed context too, and still returns
// the failure, so that programs give their memory back. Look next at copies.cpp.
#include <algorithm>

#include "emulator/driver/graphs.hpp"
#include "emulator/driver/managed.hpp"

namespace tilewright::emulator::driver {

CUdeviceptr allocate(const std::shared_ptr<Context>& context, std::size_t bytes, Sharing sharing) {
  require(bytes != 0);
  Device& device = *context->device;
  std::scoped_lock lock(device.execution);
  require(context->alive, CUDA_ERROR_CONTEXT_IS_DESTROYED);
  const bool of_host = sharing == Sharing::page_locked;
  const std::size_t total = device.traits->total_memory;
  const std::size_t used = of_host ? 0 : std::min(total, device.bytes_in_use());
  require(bytes <= total - used, CUDA_ERROR_OUT_OF_MEMORY);
  const auto address = device.memory().allocate(bytes);
  require(address != 0, CUDA_ERROR_OUT_OF_MEMORY);
  context->allocations[address] = bytes;
  if (of_host) device.page_locked += bytes;
  if (sharing != Sharing::none) share_with_host(address, bytes, sharing);
  return address;
}

void release(CUdeviceptr address, bool page_locked) {
  Device* device = owner_of(address);
  require(device != nullptr && (sharing_of(address) == Sharing::page_locked) == page_locked);
  std::scoped_lock lock(device->execution);
  for (const auto& context : State::get().contexts.all()) {
    if (context->device != device) continue;
    const auto found = context->allocations.find(address);
    if (found == context->allocations.end()) continue;
    if (page_locked) device->page_locked -= found->second;
    context->allocations.erase(found);
    stop_sharing(address);
    require(device->memory().release(address));
    require(context->failure == CUDA_SUCCESS, context->failure);
    return;
  }
  throw Failure{CUDA_ERROR_INVALID_VALUE};
}

}  // namespace tilewright::emulator::driver

using namespace tilewright::emulator::driver;

extern "C" {

CUresult CUDAAPI cuMemAlloc(CUdeviceptr* address, std::size_t bytes) {
  return guarded([&] {
    require(address != nullptr);
    forbid_while_capturing();
    *address = allocate(current_context(), bytes);
  });
}

CUresult CUDAAPI cuMemAllocAsync(CUdeviceptr* address, std::size_t bytes, CUstream stream) {
  return guarded([&] {
    require(address != nullptr);
    const auto context = context_of_stream(stream);
    forbid_if_captured(stream);  // nodes that allocate are not known here
    *address = allocate(context, bytes);
  });
}

CUresult CUDAAPI cuMemAllocPitch(CUdeviceptr* address, std::size_t* pitch, std::size_t width,
                                 std::size_t height, unsigned int element_bytes) {
  return guarded([&] {
    require(address != nullptr && pitch != nullptr && width != 0 && height != 0);
    require(element_bytes == 4 || element_bytes == 8 || element_bytes == 16);
    forbid_while_capturing();
    constexpr std::size_t row_alignment = 512;
    require(width <= SIZE_MAX - row_alignment, CUDA_ERROR_OUT_OF_MEMORY);
    const std::size_t row = (width + row_alignment - 1) / row_alignment * row_alignment;
    require(height <= SIZE_MAX / row, CUDA_ERROR_OUT_OF_MEMORY);
    *address = allocate(current_context(), row * height);
    *pitch = row;
  });
}

CUresult CUDAAPI cuMemFree(CUdeviceptr address) {
  return guarded([&] {
    current_context_even_failed();
    forbid_while_capturing();
    if (address != 0) release(address);
  });
}

CUresult CUDAAPI cuMemFreeAsync(CUdeviceptr address, CUstream stream) {
  return guarded([&] {
    const bool explicit_stream = State::get().streams.find(stream) != nullptr;
    if (!explicit_stream) context_of_stream(stream);
    forbid_if_captured(stream);
    if (address != 0) release(address);
  });
}

CUresult CUDAAPI cuMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes) {
  return guarded([&] {
    auto context = current_context();
    require(free_bytes != nullptr && total_bytes != nullptr);
    const std::size_t total = context->device->traits->total_memory;
    *total_bytes = total;
    *free_bytes = total - std::min(total, context->device->bytes_in_use());
  });
}

CUresult CUDAAPI cuMemGetAddressRange(CUdeviceptr* base, std::size_t* bytes, CUdeviceptr address) {
  return guarded([&] {
    current_context();
    Device* device = owner_of(address);
    require(device != nullptr, CUDA_ERROR_NOT_FOUND);
    const auto range = device->memory().find(address);
    require(range.begin != range.end, CUDA_ERROR_NOT_FOUND);
    if (base != nullptr) *base = range.begin;
    if (bytes != nullptr) *bytes = range.end - range.begin;
  });
}

CUresult CUDAAPI cuMemAllocManaged(CUdeviceptr* address, std::size_t bytes, unsigned int flags) {
  return guarded([&] {
    require(address != nullptr);
    require(flags == CU_MEM_ATTACH_GLOBAL || flags == CU_MEM_ATTACH_HOST);
    forbid_while_capturing();
    *address = allocate(current_context(), bytes, Sharing::managed);
  });
}

}  // extern "C"
