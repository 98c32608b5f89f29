// Entry points that say what an address is.
//
// Look next at allocations.cpp and host_memory.cpp for where addresses come from.
#include "emulator/driver/host_memory.hpp"
#include "emulator/driver/managed.hpp"

namespace tilewright::emulator::driver {
namespace {

template <class Value>
void give(void* data, Value value) {
  *static_cast<Value*>(data) = value;
}

CUcontext context_that_allocated(Device& device, std::uint64_t base) {
  std::scoped_lock lock(device.execution);
  for (const auto& context : State::get().contexts.all())
    if (context->device == &device && context->allocations.count(base) != 0) return context->handle;
  return device.primary;  // a module's global variable
}

void device_attribute_of(Device& device, const Memory::Range& range, CUdeviceptr address,
                         CUpointer_attribute attribute, void* data) {
  switch (attribute) {
    case CU_POINTER_ATTRIBUTE_CONTEXT:
      return give(data, context_that_allocated(device, range.begin));
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
      return give<unsigned>(data, sharing_of(address) == Sharing::page_locked
                                      ? CU_MEMORYTYPE_HOST
                                      : CU_MEMORYTYPE_DEVICE);
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER: return give<CUdeviceptr>(data, address);
    case CU_POINTER_ATTRIBUTE_BUFFER_ID: return give<unsigned long long>(data, range.begin);
    case CU_POINTER_ATTRIBUTE_IS_MANAGED: return give<unsigned>(data, is_managed(address));
    case CU_POINTER_ATTRIBUTE_HOST_POINTER:
      require(sharing_of(address) != Sharing::none);
      return give<void*>(data, reinterpret_cast<void*>(address));
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL: return give<int>(data, device.ordinal);
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR: return give<CUdeviceptr>(data, range.begin);
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE: return give<std::size_t>(data, range.end - range.begin);
    case CU_POINTER_ATTRIBUTE_MAPPED: return give<unsigned>(data, 1);
    case CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE:
    case CU_POINTER_ATTRIBUTE_IS_GPU_DIRECT_RDMA_CAPABLE: return give<unsigned>(data, 0);
    default: throw Failure{CUDA_ERROR_INVALID_VALUE};
  }
}

}  // namespace
}  // namespace tilewright::emulator::driver

using namespace tilewright::emulator::driver;

extern "C" {

CUresult CUDAAPI cuPointerGetAttribute(void* data, CUpointer_attribute attribute,
                                       CUdeviceptr address) {
  return guarded([&] {
    require(data != nullptr);
    if (Device* device = owner_of(address)) {
      const auto range = device->memory().find(address);
      require(range.begin != range.end);
      device_attribute_of(*device, range, address, attribute, data);
      return;
    }
    require(is_known_host_memory(address));
    switch (attribute) {
      case CU_POINTER_ATTRIBUTE_MEMORY_TYPE: give<unsigned>(data, CU_MEMORYTYPE_HOST); break;
      case CU_POINTER_ATTRIBUTE_HOST_POINTER:
        give<void*>(data, reinterpret_cast<void*>(address));
        break;
      case CU_POINTER_ATTRIBUTE_IS_MANAGED:
      case CU_POINTER_ATTRIBUTE_MAPPED: give<unsigned>(data, 0); break;
      default: throw Failure{CUDA_ERROR_INVALID_VALUE};
    }
  });
}

/// What does not hold of an address is given as zero, as the single form would refuse it.
CUresult CUDAAPI cuPointerGetAttributes(unsigned int count, CUpointer_attribute* attributes,
                                        void** data, CUdeviceptr address) {
  return guarded([&] {
    require(count == 0 || (attributes != nullptr && data != nullptr));
    for (unsigned i = 0; i < count; ++i) {
      require(data[i] != nullptr && attributes[i] > 0);
      const bool wide = attributes[i] == CU_POINTER_ATTRIBUTE_CONTEXT ||
                        attributes[i] == CU_POINTER_ATTRIBUTE_DEVICE_POINTER ||
                        attributes[i] == CU_POINTER_ATTRIBUTE_HOST_POINTER ||
                        attributes[i] == CU_POINTER_ATTRIBUTE_BUFFER_ID ||
                        attributes[i] == CU_POINTER_ATTRIBUTE_RANGE_START_ADDR ||
                        attributes[i] == CU_POINTER_ATTRIBUTE_RANGE_SIZE;
      if (cuPointerGetAttribute(data[i], attributes[i], address) == CUDA_SUCCESS) continue;
      if (wide) {
        give<std::uint64_t>(data[i], 0);
      } else {
        give<unsigned>(data[i], 0);
      }
    }
  });
}

}  // extern "C"
