// Device memory that host code may touch as well: managed memory, and page-locked host memory,
// which every kernel may reach at its host address.
//
// Look next at managed.cpp, host_memory.cpp.
#pragma once

#include "emulator/driver/state.hpp"

namespace tilewright::emulator::driver {

enum class Sharing { none, managed, page_locked };

/// What the live allocation that holds `address` is to the host.
Sharing sharing_of(std::uint64_t address);
inline bool is_managed(std::uint64_t address) { return sharing_of(address) == Sharing::managed; }

/// A new allocation is shared from now on: zeroed, and all of it counts as initialised.
void share_with_host(std::uint64_t address, std::size_t bytes, Sharing sharing);
void stop_sharing(std::uint64_t address);

/// Device memory of a context; CUDA_ERROR_OUT_OF_MEMORY. Page-locked memory is the host's and takes
/// nothing from the device's.
CUdeviceptr allocate(const std::shared_ptr<Context>& context, std::size_t bytes,
                     Sharing sharing = Sharing::none);
/// Frees what any context on the address's device allocated so: the start of an allocation only,
/// else CUDA_ERROR_INVALID_VALUE.
void release(CUdeviceptr address, bool page_locked = false);

}  // namespace tilewright::emulator::driver
