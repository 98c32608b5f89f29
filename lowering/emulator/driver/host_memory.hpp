// Whether the driver was told of a piece of host memory, by allocating or registering it.
//
// Look next at host_memory.cpp.
#pragma once

#include "emulator/driver/state.hpp"

namespace tilewright::emulator::driver {

bool is_known_host_memory(std::uint64_t address);

}  // namespace tilewright::emulator::driver
