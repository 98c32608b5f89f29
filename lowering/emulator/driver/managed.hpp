// Which allocations are managed: host code may read and write them as well as kernels.
//
// Look next at managed.cpp.
#pragma once

#include "emulator/driver/state.hpp"

namespace tilewright::emulator::driver {

bool is_managed(std::uint64_t address);
/// Makes a fresh allocation managed; its bytes become zero and count as initialised.
void make_managed(std::uint64_t address, std::size_t bytes);
/// Of an allocation that ends; any address.
void forget_managed(std::uint64_t address);

}  // namespace tilewright::emulator::driver
