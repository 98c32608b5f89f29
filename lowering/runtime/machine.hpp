// What this machine can spare.
#pragma once

#include <cstdint>

namespace tilewright::runtime {

/// Bytes of memory that can be taken without swapping: the system's estimate (MemAvailable), or
/// what the control group has left where that is less. 0: not known.
std::uint64_t available_memory();

}  // namespace tilewright::runtime
