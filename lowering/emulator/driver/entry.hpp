// How an entry point of the driver is written: cuda.h's own declarations, exported, and one wrapper
// that turns what a body throws into a result code, so that no exception crosses the C boundary.
//
// A body is a lambda that throws Failure (or calls require) to refuse and returns to succeed.
// Look next at state.hpp for what bodies work on.
#pragma once

// Everything cuda.h declares is exported; all else in the library is hidden by the compiler's
// flags.
#pragma GCC visibility push(default)
#include <cuda.h>

// Versions that the header at hand may know only under its own newest number, and two functions of
// cudaProfiler.h, which not every set of headers has.
extern "C" {
CUresult CUDAAPI cuFuncLoad(CUfunction function);
CUresult CUDAAPI cuProfilerStart();
CUresult CUDAAPI cuProfilerStop();
CUresult CUDAAPI cuCtxCreate_v2(CUcontext* context, unsigned int flags, CUdevice device);
CUresult CUDAAPI cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device);
CUresult CUDAAPI cuEventElapsedTime_v2(float* milliseconds, CUevent start, CUevent end);
}
#pragma GCC visibility pop

#include <new>

namespace tilewright::emulator::driver {

/// Thrown by a body: the call's result.
struct Failure {
  CUresult result;
};

/// Refuses the call with `result` unless `condition` holds.
inline void require(bool condition, CUresult result = CUDA_ERROR_INVALID_VALUE) {
  if (!condition) throw Failure{result};
}

/// True once cuInit succeeded.
bool is_initialized();

/// Runs a body that is legal before cuInit.
template <class Body>
CUresult guarded_always(Body&& body) noexcept {
  try {
    body();
    return CUDA_SUCCESS;
  } catch (const Failure& failure) {
    return failure.result;
  } catch (const std::bad_alloc&) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  } catch (...) {
    return CUDA_ERROR_UNKNOWN;
  }
}

/// Runs a body; CUDA_ERROR_NOT_INITIALIZED before cuInit.
template <class Body>
CUresult guarded(Body&& body) noexcept {
  if (!is_initialized()) return CUDA_ERROR_NOT_INITIALIZED;
  return guarded_always(static_cast<Body&&>(body));
}

}  // namespace tilewright::emulator::driver
