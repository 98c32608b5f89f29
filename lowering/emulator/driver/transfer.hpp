// Moving bytes into, out of and between device memories, checked and in order with launches.
//
// Every function throws CUDA_ERROR_INVALID_VALUE for a device range outside one live allocation or
// a host pointer that is null or a device address. Zero bytes are nothing. Look next at copies.cpp.
#pragma once

#include "emulator/driver/state.hpp"

namespace tilewright::emulator::driver {

void copy_in(CUdeviceptr to, const void* from, std::size_t bytes);
void copy_out(void* to, CUdeviceptr from, std::size_t bytes);
void copy_across(CUdeviceptr to, CUdeviceptr from, std::size_t bytes);
/// Either end may be host or device memory: the addresses tell.
void copy_any(std::uint64_t to, std::uint64_t from, std::size_t bytes);
/// A rectangle, as cuMemcpy2D describes it.
void copy_rectangle(const CUDA_MEMCPY2D& copy);
/// `count` copies of an element of 1, 2 or 4 bytes; `to` is aligned to it.
void fill(CUdeviceptr to, const void* element, std::size_t element_bytes, std::size_t count);

}  // namespace tilewright::emulator::driver
