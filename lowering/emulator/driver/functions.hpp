// A function by whichever of the two handles names it, and its attributes.
//
// A CUkernel may stand where a CUfunction is asked for: it means the function of that kernel in the
// current context. Look next at functions.cpp, then launch.cpp.
#pragma once

#include "emulator/driver/state.hpp"

namespace tilewright::emulator::driver {

/// CUDA_ERROR_INVALID_HANDLE for what names no function.
std::shared_ptr<Function> resolve_function(CUfunction handle);

/// The function of a library's kernel in the current context; the library is loaded there if need
/// be.
CUfunction function_of_kernel(const LibraryKernel& kernel);

/// Blocks of `threads` threads and `dynamic_bytes` of shared memory on one multiprocessor at a
/// time.
int blocks_that_fit(const Function& function, int threads, std::size_t dynamic_bytes);

/// CUDA_ERROR_INVALID_VALUE for a number that names no attribute.
int function_attribute(const Function& function, CUfunction_attribute attribute);

/// CUDA_ERROR_INVALID_VALUE for what is read-only or out of range, CUDA_ERROR_NOT_SUPPORTED for
/// clusters.
void set_function_attribute(Function& function, CUfunction_attribute attribute, int value);

}  // namespace tilewright::emulator::driver
