// The answers without which no device opens: one device, compute capability 8.0, room for
// everything, memory at an address that nobody reads.
#include <cuda.h>

#include <cstddef>

extern "C" CUresult standin_device_get_count(int* count) __asm__("cuDeviceGetCount");
CUresult standin_device_get_count(int* count) {
  *count = 1;
  return CUDA_SUCCESS;
}

extern "C" CUresult standin_device_get_attribute(int* value, CUdevice_attribute which,
                                                 CUdevice) __asm__("cuDeviceGetAttribute");
CUresult standin_device_get_attribute(int* value, CUdevice_attribute which, CUdevice) {
  *value = which == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR   ? 8
           : which == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR ? 0
                                                                   : 1 << 20;
  return CUDA_SUCCESS;
}

extern "C" CUresult standin_memory_allocate(CUdeviceptr* address,
                                            std::size_t) __asm__("cuMemAlloc_v2");
CUresult standin_memory_allocate(CUdeviceptr* address, std::size_t) {
  *address = CUdeviceptr{1} << 40;
  return CUDA_SUCCESS;
}
