// cuGetProcAddress: an entry point by its base name and the CUDA version whose signature is wanted.
//
// One table of (name, first version, function); where a name changed its signature it stands there
// more than once. Per-thread default streams are the same functions: every stream is in order.
#include <cstring>

#include "emulator/driver/entry.hpp"

namespace tilewright::emulator::driver {
namespace {

struct Procedure {
  const char* name;
  int since;  ///< 1000 * major + 10 * minor
  void* function;
};

// Deprecated functions are answered for too.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

// The name is taken before cuda.h's renaming, the function after it.
#define TILEWRIGHT_PROCEDURE(name, since) \
  { #name, since, reinterpret_cast < void*>(&name) }

const Procedure procedures[] = {
    TILEWRIGHT_PROCEDURE(cuInit, 2000),
    TILEWRIGHT_PROCEDURE(cuDriverGetVersion, 2020),
    TILEWRIGHT_PROCEDURE(cuGetErrorName, 6000),
    TILEWRIGHT_PROCEDURE(cuGetErrorString, 6000),
    TILEWRIGHT_PROCEDURE(cuDeviceGet, 2000),
    TILEWRIGHT_PROCEDURE(cuDeviceGetCount, 2000),
    TILEWRIGHT_PROCEDURE(cuDeviceGetName, 2000),
    TILEWRIGHT_PROCEDURE(cuDeviceGetUuid, 9020),
    TILEWRIGHT_PROCEDURE(cuDeviceGetAttribute, 2000),
    TILEWRIGHT_PROCEDURE(cuDeviceTotalMem, 3020),
    TILEWRIGHT_PROCEDURE(cuDeviceComputeCapability, 2000),
    TILEWRIGHT_PROCEDURE(cuDeviceCanAccessPeer, 4000),
    TILEWRIGHT_PROCEDURE(cuProfilerStart, 4000),
    TILEWRIGHT_PROCEDURE(cuProfilerStop, 4000),
    TILEWRIGHT_PROCEDURE(cuDevicePrimaryCtxRetain, 7000),
    TILEWRIGHT_PROCEDURE(cuDevicePrimaryCtxRelease, 7000),
    TILEWRIGHT_PROCEDURE(cuDevicePrimaryCtxReset, 7000),
    TILEWRIGHT_PROCEDURE(cuDevicePrimaryCtxSetFlags, 7000),
    TILEWRIGHT_PROCEDURE(cuDevicePrimaryCtxGetState, 7000),
    TILEWRIGHT_PROCEDURE(cuCtxDestroy, 4000),
    TILEWRIGHT_PROCEDURE(cuCtxPushCurrent, 4000),
    TILEWRIGHT_PROCEDURE(cuCtxPopCurrent, 4000),
    TILEWRIGHT_PROCEDURE(cuCtxSetCurrent, 4000),
    TILEWRIGHT_PROCEDURE(cuCtxGetCurrent, 4000),
    TILEWRIGHT_PROCEDURE(cuCtxGetDevice, 2000),
    TILEWRIGHT_PROCEDURE(cuCtxGetFlags, 7000),
    TILEWRIGHT_PROCEDURE(cuCtxGetId, 12000),
    TILEWRIGHT_PROCEDURE(cuCtxGetApiVersion, 3020),
    TILEWRIGHT_PROCEDURE(cuCtxGetStreamPriorityRange, 5050),
    TILEWRIGHT_PROCEDURE(cuCtxSetCacheConfig, 3020),
    TILEWRIGHT_PROCEDURE(cuCtxSynchronize, 2000),
    TILEWRIGHT_PROCEDURE(cuModuleLoad, 2000),
    TILEWRIGHT_PROCEDURE(cuModuleLoadData, 2000),
    TILEWRIGHT_PROCEDURE(cuModuleLoadDataEx, 2010),
    TILEWRIGHT_PROCEDURE(cuModuleLoadFatBinary, 2000),
    TILEWRIGHT_PROCEDURE(cuModuleUnload, 2000),
    TILEWRIGHT_PROCEDURE(cuModuleGetFunction, 2000),
    TILEWRIGHT_PROCEDURE(cuModuleGetFunctionCount, 12040),
    TILEWRIGHT_PROCEDURE(cuModuleGetGlobal, 3020),
    TILEWRIGHT_PROCEDURE(cuLibraryLoadData, 12000),
    TILEWRIGHT_PROCEDURE(cuLibraryLoadFromFile, 12000),
    TILEWRIGHT_PROCEDURE(cuLibraryUnload, 12000),
    TILEWRIGHT_PROCEDURE(cuLibraryGetKernel, 12000),
    TILEWRIGHT_PROCEDURE(cuLibraryGetModule, 12000),
    TILEWRIGHT_PROCEDURE(cuLibraryGetGlobal, 12000),
    TILEWRIGHT_PROCEDURE(cuKernelGetFunction, 12000),
    TILEWRIGHT_PROCEDURE(cuKernelGetAttribute, 12000),
    TILEWRIGHT_PROCEDURE(cuKernelSetAttribute, 12000),
    TILEWRIGHT_PROCEDURE(cuKernelGetName, 12030),
    TILEWRIGHT_PROCEDURE(cuFuncGetAttribute, 2020),
    TILEWRIGHT_PROCEDURE(cuFuncSetAttribute, 9000),
    TILEWRIGHT_PROCEDURE(cuFuncSetCacheConfig, 3000),
    TILEWRIGHT_PROCEDURE(cuFuncGetModule, 11000),
    TILEWRIGHT_PROCEDURE(cuFuncLoad, 12040),
    TILEWRIGHT_PROCEDURE(cuFuncGetName, 12030),
    TILEWRIGHT_PROCEDURE(cuFuncGetParamInfo, 12040),
    TILEWRIGHT_PROCEDURE(cuLaunchKernel, 4000),
    TILEWRIGHT_PROCEDURE(cuLaunchKernelEx, 11060),
    TILEWRIGHT_PROCEDURE(cuLaunchHostFunc, 10000),
    TILEWRIGHT_PROCEDURE(cuMemAlloc, 3020),
    TILEWRIGHT_PROCEDURE(cuMemAllocAsync, 11020),
    TILEWRIGHT_PROCEDURE(cuMemAllocPitch, 3020),
    TILEWRIGHT_PROCEDURE(cuMemAllocManaged, 6000),
    TILEWRIGHT_PROCEDURE(cuMemFree, 3020),
    TILEWRIGHT_PROCEDURE(cuMemFreeAsync, 11020),
    TILEWRIGHT_PROCEDURE(cuMemGetInfo, 3020),
    TILEWRIGHT_PROCEDURE(cuMemGetAddressRange, 3020),
    TILEWRIGHT_PROCEDURE(cuMemAllocHost, 3020),
    TILEWRIGHT_PROCEDURE(cuMemHostAlloc, 2020),
    TILEWRIGHT_PROCEDURE(cuMemFreeHost, 2000),
    TILEWRIGHT_PROCEDURE(cuMemHostRegister, 4000),
    TILEWRIGHT_PROCEDURE(cuMemHostUnregister, 4000),
    TILEWRIGHT_PROCEDURE(cuMemHostGetDevicePointer, 3020),
    TILEWRIGHT_PROCEDURE(cuPointerGetAttribute, 4000),
    TILEWRIGHT_PROCEDURE(cuMemcpy, 4000),
    TILEWRIGHT_PROCEDURE(cuMemcpyAsync, 4000),
    TILEWRIGHT_PROCEDURE(cuMemcpyHtoD, 3020),
    TILEWRIGHT_PROCEDURE(cuMemcpyHtoDAsync, 3020),
    TILEWRIGHT_PROCEDURE(cuMemcpyDtoH, 3020),
    TILEWRIGHT_PROCEDURE(cuMemcpyDtoHAsync, 3020),
    TILEWRIGHT_PROCEDURE(cuMemcpyDtoD, 3020),
    TILEWRIGHT_PROCEDURE(cuMemcpyDtoDAsync, 3020),
    TILEWRIGHT_PROCEDURE(cuMemcpy2D, 3020),
    TILEWRIGHT_PROCEDURE(cuMemcpy2DUnaligned, 3020),
    TILEWRIGHT_PROCEDURE(cuMemcpy2DAsync, 3020),
    TILEWRIGHT_PROCEDURE(cuMemsetD8, 3020),
    TILEWRIGHT_PROCEDURE(cuMemsetD16, 3020),
    TILEWRIGHT_PROCEDURE(cuMemsetD32, 3020),
    TILEWRIGHT_PROCEDURE(cuMemsetD8Async, 3020),
    TILEWRIGHT_PROCEDURE(cuMemsetD16Async, 3020),
    TILEWRIGHT_PROCEDURE(cuMemsetD32Async, 3020),
    TILEWRIGHT_PROCEDURE(cuStreamCreate, 2000),
    TILEWRIGHT_PROCEDURE(cuStreamCreateWithPriority, 5050),
    TILEWRIGHT_PROCEDURE(cuStreamDestroy, 4000),
    TILEWRIGHT_PROCEDURE(cuStreamSynchronize, 2000),
    TILEWRIGHT_PROCEDURE(cuStreamQuery, 2000),
    TILEWRIGHT_PROCEDURE(cuStreamWaitEvent, 3020),
    TILEWRIGHT_PROCEDURE(cuStreamGetCtx, 9020),
    TILEWRIGHT_PROCEDURE(cuStreamGetFlags, 5050),
    TILEWRIGHT_PROCEDURE(cuStreamGetPriority, 5050),
    TILEWRIGHT_PROCEDURE(cuStreamIsCapturing, 10000),
    TILEWRIGHT_PROCEDURE(cuStreamBeginCapture, 10010),
    TILEWRIGHT_PROCEDURE(cuStreamEndCapture, 10000),
    TILEWRIGHT_PROCEDURE(cuThreadExchangeStreamCaptureMode, 10010),
    {"cuGraphInstantiate", 12000, reinterpret_cast<void*>(&cuGraphInstantiate)},
    {"cuGraphInstantiateWithFlags", 11040, reinterpret_cast<void*>(&cuGraphInstantiate)},
    TILEWRIGHT_PROCEDURE(cuGraphInstantiateWithParams, 12000),
    TILEWRIGHT_PROCEDURE(cuGraphLaunch, 10000),
    TILEWRIGHT_PROCEDURE(cuGraphUpload, 11010),
    TILEWRIGHT_PROCEDURE(cuGraphExecGetFlags, 12000),
    TILEWRIGHT_PROCEDURE(cuGraphExecDestroy, 10000),
    TILEWRIGHT_PROCEDURE(cuGraphDestroy, 10000),
    TILEWRIGHT_PROCEDURE(cuGraphGetNodes, 10000),
    TILEWRIGHT_PROCEDURE(cuGraphNodeGetType, 10000),
    TILEWRIGHT_PROCEDURE(cuEventCreate, 2000),
    TILEWRIGHT_PROCEDURE(cuEventRecord, 2000),
    TILEWRIGHT_PROCEDURE(cuEventRecordWithFlags, 11010),
    TILEWRIGHT_PROCEDURE(cuEventQuery, 2000),
    TILEWRIGHT_PROCEDURE(cuEventSynchronize, 2000),
    TILEWRIGHT_PROCEDURE(cuEventElapsedTime, 2000),
    TILEWRIGHT_PROCEDURE(cuEventDestroy, 4000),
    TILEWRIGHT_PROCEDURE(cuOccupancyMaxActiveBlocksPerMultiprocessor, 6050),
    TILEWRIGHT_PROCEDURE(cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags, 7000),
    TILEWRIGHT_PROCEDURE(cuOccupancyMaxPotentialBlockSize, 6050),
    TILEWRIGHT_PROCEDURE(cuOccupancyMaxPotentialBlockSizeWithFlags, 7000),
    TILEWRIGHT_PROCEDURE(cuOccupancyAvailableDynamicSMemPerBlock, 10020),
    TILEWRIGHT_PROCEDURE(cuDeviceGetPCIBusId, 4010),
    TILEWRIGHT_PROCEDURE(cuDeviceGetByPCIBusId, 4010),
    TILEWRIGHT_PROCEDURE(cuDeviceGetP2PAttribute, 8000),
    TILEWRIGHT_PROCEDURE(cuCtxEnablePeerAccess, 4000),
    TILEWRIGHT_PROCEDURE(cuCtxDisablePeerAccess, 4000),
    TILEWRIGHT_PROCEDURE(cuCtxGetLimit, 3010),
    TILEWRIGHT_PROCEDURE(cuCtxSetLimit, 3010),
    TILEWRIGHT_PROCEDURE(cuCtxGetCacheConfig, 3020),
    TILEWRIGHT_PROCEDURE(cuCtxResetPersistingL2Cache, 11000),
    TILEWRIGHT_PROCEDURE(cuMemcpyPeer, 4000),
    TILEWRIGHT_PROCEDURE(cuMemcpyPeerAsync, 4000),
    TILEWRIGHT_PROCEDURE(cuMemcpy3D, 3020),
    TILEWRIGHT_PROCEDURE(cuMemcpy3DAsync, 3020),
    TILEWRIGHT_PROCEDURE(cuMemsetD2D8, 3020),
    TILEWRIGHT_PROCEDURE(cuMemsetD2D16, 3020),
    TILEWRIGHT_PROCEDURE(cuMemsetD2D32, 3020),
    TILEWRIGHT_PROCEDURE(cuMemsetD2D8Async, 3020),
    TILEWRIGHT_PROCEDURE(cuMemsetD2D16Async, 3020),
    TILEWRIGHT_PROCEDURE(cuMemsetD2D32Async, 3020),
    TILEWRIGHT_PROCEDURE(cuMemHostGetFlags, 2030),
    TILEWRIGHT_PROCEDURE(cuPointerGetAttributes, 7000),
    TILEWRIGHT_PROCEDURE(cuStreamAddCallback, 5000),
    TILEWRIGHT_PROCEDURE(cuLaunchCooperativeKernel, 9000),
    {"cuCtxCreate", 3020, reinterpret_cast<void*>(&cuCtxCreate_v2)},
#if CUDA_VERSION >= 12050
    {"cuCtxCreate", 12050, reinterpret_cast<void*>(&cuCtxCreate_v4)},
#endif
    TILEWRIGHT_PROCEDURE(cuGetExportTable, 3000),
    {"cuGetProcAddress", 12000, reinterpret_cast<void*>(&cuGetProcAddress_v2)},
};

#undef TILEWRIGHT_PROCEDURE

}  // namespace
}  // namespace tilewright::emulator::driver

using namespace tilewright::emulator::driver;

extern "C" {

CUresult CUDAAPI cuGetProcAddress_v2(const char* name, void** function, int version,
                                     cuuint64_t flags, CUdriverProcAddressQueryResult* status) {
  return guarded_always([&] {
    require(name != nullptr && function != nullptr && version <= CUDA_VERSION);
    constexpr cuuint64_t known =
        CU_GET_PROC_ADDRESS_LEGACY_STREAM | CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM;
    require((flags & ~known) == 0);
    *function = nullptr;
    int best = -1;
    auto outcome = CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
    for (const Procedure& procedure : procedures) {
      if (std::strcmp(procedure.name, name) != 0) continue;
      if (procedure.since > version) {
        if (best < 0) outcome = CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT;
      } else if (procedure.since > best) {
        best = procedure.since;
        *function = procedure.function;
        outcome = CU_GET_PROC_ADDRESS_SUCCESS;
      }
    }
    if (status != nullptr) *status = outcome;
    require(*function != nullptr || status != nullptr, CUDA_ERROR_NOT_FOUND);
  });
}

// Tables of undocumented functions: there are none. NVRTC asks for one where it finds a
// libcuda.so.1, does without it when told so, and crashes where this function is missing.
CUresult CUDAAPI cuGetExportTable(const void** table, const CUuuid* id) {
  return guarded_always([&] {
    require(table != nullptr && id != nullptr);
    *table = nullptr;
    require(false, CUDA_ERROR_NOT_FOUND);
  });
}

}  // extern "C"
