// Names that older headers map to, with the signature they had then, so that a program built
// against an older cuda.h finds them. This file keeps clear of the header's own renaming.
//
// Look next at procedures.cpp, which picks a version by number.
#include "emulator/driver/entry.hpp"

#undef cuDeviceGetUuid
#undef cuEventElapsedTime
#undef cuGetProcAddress
#undef cuDevicePrimaryCtxRelease
#undef cuDevicePrimaryCtxReset
#undef cuDevicePrimaryCtxSetFlags

#define TILEWRIGHT_EXPORT __attribute__((visibility("default")))

extern "C" {

TILEWRIGHT_EXPORT CUresult CUDAAPI cuDeviceGetUuid(CUuuid* uuid, CUdevice device) {
  return cuDeviceGetUuid_v2(uuid, device);
}

TILEWRIGHT_EXPORT CUresult CUDAAPI cuEventElapsedTime(float* milliseconds, CUevent start,
                                                      CUevent end) {
  return cuEventElapsedTime_v2(milliseconds, start, end);
}

TILEWRIGHT_EXPORT CUresult CUDAAPI cuDevicePrimaryCtxRelease(CUdevice device) {
  return cuDevicePrimaryCtxRelease_v2(device);
}

TILEWRIGHT_EXPORT CUresult CUDAAPI cuDevicePrimaryCtxReset(CUdevice device) {
  return cuDevicePrimaryCtxReset_v2(device);
}

TILEWRIGHT_EXPORT CUresult CUDAAPI cuDevicePrimaryCtxSetFlags(CUdevice device, unsigned flags) {
  return cuDevicePrimaryCtxSetFlags_v2(device, flags);
}

TILEWRIGHT_EXPORT CUresult CUDAAPI cuGetProcAddress(const char* name, void** function, int version,
                                                    cuuint64_t flags) {
  return cuGetProcAddress_v2(name, function, version, flags, nullptr);
}

}  // extern "C"
