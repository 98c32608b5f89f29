// The part of the CUDA Driver API the runtime uses: member name, exported symbol, signature.
// The one idea: signatures are spelled out with the exported (versioned) symbol names, so the table
// does not change meaning with the cuda.h it is compiled against, and the same list serves NVIDIA's
// driver and the emulator.
// Next: driver.hpp turns the list into a struct; driver.cpp fills it.
#pragma once

// X(member, exported symbol, argument types...); every function returns CUresult.
#define TILEWRIGHT_DRIVER_FUNCTIONS(X)                                                             \
  X(init, "cuInit", unsigned)                                                                      \
  X(driver_get_version, "cuDriverGetVersion", int*)                                                \
  X(get_error_name, "cuGetErrorName", CUresult, const char**)                                      \
  X(get_error_string, "cuGetErrorString", CUresult, const char**)                                  \
  X(device_get, "cuDeviceGet", CUdevice*, int)                                                     \
  X(device_get_count, "cuDeviceGetCount", int*)                                                    \
  X(device_get_name, "cuDeviceGetName", char*, int, CUdevice)                                      \
  X(device_get_attribute, "cuDeviceGetAttribute", int*, CUdevice_attribute, CUdevice)              \
  X(device_total_memory, "cuDeviceTotalMem_v2", std::size_t*, CUdevice)                            \
  X(primary_context_retain, "cuDevicePrimaryCtxRetain", CUcontext*, CUdevice)                      \
  X(primary_context_release, "cuDevicePrimaryCtxRelease_v2", CUdevice)                             \
  X(context_get_current, "cuCtxGetCurrent", CUcontext*)                                            \
  X(context_set_current, "cuCtxSetCurrent", CUcontext)                                             \
  X(context_push, "cuCtxPushCurrent_v2", CUcontext)                                                \
  X(context_pop, "cuCtxPopCurrent_v2", CUcontext*)                                                 \
  X(context_get_device, "cuCtxGetDevice", CUdevice*)                                               \
  X(context_synchronize, "cuCtxSynchronize")                                                       \
  X(module_load_data, "cuModuleLoadDataEx", CUmodule*, const void*, unsigned, CUjit_option*,       \
    void**)                                                                                        \
  X(module_unload, "cuModuleUnload", CUmodule)                                                     \
  X(module_get_function, "cuModuleGetFunction", CUfunction*, CUmodule, const char*)                \
  X(module_get_global, "cuModuleGetGlobal_v2", CUdeviceptr*, std::size_t*, CUmodule, const char*)  \
  X(function_get_attribute, "cuFuncGetAttribute", int*, CUfunction_attribute, CUfunction)          \
  X(function_set_attribute, "cuFuncSetAttribute", CUfunction, CUfunction_attribute, int)           \
  X(launch_kernel, "cuLaunchKernel", CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, \
    unsigned, unsigned, CUstream, void**, void**)                                                  \
  X(occupancy, "cuOccupancyMaxActiveBlocksPerMultiprocessor", int*, CUfunction, int, std::size_t)  \
  X(memory_allocate, "cuMemAlloc_v2", CUdeviceptr*, std::size_t)                                   \
  X(memory_free, "cuMemFree_v2", CUdeviceptr)                                                      \
  X(memory_get_info, "cuMemGetInfo_v2", std::size_t*, std::size_t*)                                \
  X(copy_to_device, "cuMemcpyHtoD_v2", CUdeviceptr, const void*, std::size_t)                      \
  X(copy_to_host, "cuMemcpyDtoH_v2", void*, CUdeviceptr, std::size_t)                              \
  X(copy_on_device, "cuMemcpyDtoD_v2", CUdeviceptr, CUdeviceptr, std::size_t)                      \
  X(copy_to_device_async, "cuMemcpyHtoDAsync_v2", CUdeviceptr, const void*, std::size_t, CUstream) \
  X(copy_to_host_async, "cuMemcpyDtoHAsync_v2", void*, CUdeviceptr, std::size_t, CUstream)         \
  X(copy_on_device_async, "cuMemcpyDtoDAsync_v2", CUdeviceptr, CUdeviceptr, std::size_t, CUstream) \
  X(fill_bytes, "cuMemsetD8_v2", CUdeviceptr, unsigned char, std::size_t)                          \
  X(fill_bytes_async, "cuMemsetD8Async", CUdeviceptr, unsigned char, std::size_t, CUstream)        \
  X(fill_words_async, "cuMemsetD32Async", CUdeviceptr, unsigned, std::size_t, CUstream)            \
  X(pointer_get_attribute, "cuPointerGetAttribute", void*, CUpointer_attribute, CUdeviceptr)       \
  X(stream_create, "cuStreamCreate", CUstream*, unsigned)                                          \
  X(stream_destroy, "cuStreamDestroy_v2", CUstream)                                                \
  X(stream_synchronize, "cuStreamSynchronize", CUstream)                                           \
  X(stream_query, "cuStreamQuery", CUstream)                                                       \
  X(stream_wait_event, "cuStreamWaitEvent", CUstream, CUevent, unsigned)                           \
  X(stream_get_context, "cuStreamGetCtx", CUstream, CUcontext*)                                    \
  X(event_create, "cuEventCreate", CUevent*, unsigned)                                             \
  X(event_record, "cuEventRecord", CUevent, CUstream)                                              \
  X(event_synchronize, "cuEventSynchronize", CUevent)                                              \
  X(event_elapsed, "cuEventElapsedTime", float*, CUevent, CUevent)                                 \
  X(event_destroy, "cuEventDestroy_v2", CUevent)

// The same, but null when an older driver (or the emulator) does not have them.
#define TILEWRIGHT_DRIVER_OPTIONAL_FUNCTIONS(X)                                                    \
  X(function_load, "cuFuncLoad", CUfunction)                                                       \
  X(launch_kernel_extended, "cuLaunchKernelEx", const CUlaunchConfig*, CUfunction, void**, void**) \
  X(tensor_map_encode, "cuTensorMapEncodeTiled", CUtensorMap*, CUtensorMapDataType, unsigned,      \
    void*, const cuuint64_t*, const cuuint64_t*, const cuuint32_t*, const cuuint32_t*,             \
    CUtensorMapInterleave, CUtensorMapSwizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill)
