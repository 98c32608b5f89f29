// The two devices the emulator shows: what they are called and what they can hold.
//
// Ordinal 0 has the limits of an A100, ordinal 1 those of an H100. What the emulator cannot do
// (clusters, cooperative grids, mapped host memory) is reported as absent.
// Look next at devices.cpp for the entry points that answer from here.
#pragma once

#include <cstddef>

#include "emulator/driver/entry.hpp"

namespace tilewright::emulator::driver {

struct DeviceTraits {
  const char* name;
  int major, minor;  ///< compute capability
  int multiprocessors;
  int shared_per_multiprocessor;  ///< bytes
  int shared_per_block_optin;     ///< bytes, static and dynamic together
  int clock_khz, memory_clock_khz, memory_bus_bits, l2_bytes;
  std::size_t total_memory;  ///< bytes
  int arch() const { return major * 10 + minor; }
};

inline constexpr int shared_per_block_default = 48 * 1024;  ///< bytes without an opt-in
inline constexpr int shared_reserved_per_block = 1024;      ///< bytes the system takes per block
inline constexpr int max_threads_per_block = 1024;
inline constexpr int max_block_z = 64;
inline constexpr int max_grid_yz = 65535;
inline constexpr int max_threads_per_multiprocessor = 2048;
inline constexpr int max_blocks_per_multiprocessor = 32;

const DeviceTraits& device_traits(int ordinal);

/// A device attribute's value; false for a number that names no attribute. Known attributes of
/// features that are absent here are 0.
bool device_attribute(const DeviceTraits& traits, int ordinal, CUdevice_attribute attribute,
                      int& value);

}  // namespace tilewright::emulator::driver
