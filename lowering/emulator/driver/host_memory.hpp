// Whether the program registered a piece of host memory of its own.
//
// Look next at host_memory.cpp.
#pragma once

#include "emulator/driver/state.hpp"

namespace tilewright::emulator::driver {

bool is_known_host_memory(std::uint64_t address);

}  // namespace tilewright::emulator::driver
