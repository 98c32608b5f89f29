// One opened driver: NVIDIA's libcuda.so.1 or libtilewright_emulator.so, as a table of functions.
// The one idea: the seam between a GPU and the emulator is the CUDA Driver API itself. Callers hold
// a `Driver` and never a global symbol, so both kinds live in one process.
// Next: driver_functions.hpp (the list), device.hpp (who opens which).
#pragma once

#include <cuda.h>

#include <cstddef>
#include <memory>
#include <string>

#include "driver_functions.hpp"

namespace tilewright::runtime {

/// What only the emulator has. JSON texts are valid until the thread's next call.
struct EmulatorControls {
  int (*configure)(const char* key, const char* value) = nullptr;  ///< 0: understood
  const char* (*counters)() = nullptr;                             ///< JSON object
  const char* (*faults)() = nullptr;                               ///< JSON array
  void (*reset)() = nullptr;                                       ///< clears both
};

struct Driver {
#define TILEWRIGHT_MEMBER(member, symbol, ...) CUresult (*member)(__VA_ARGS__) = nullptr;
  TILEWRIGHT_DRIVER_FUNCTIONS(TILEWRIGHT_MEMBER)
  TILEWRIGHT_DRIVER_OPTIONAL_FUNCTIONS(TILEWRIGHT_MEMBER)
#undef TILEWRIGHT_MEMBER

  std::string file;  ///< the library the functions came from
  bool is_emulator = false;
  EmulatorControls emulator;  ///< set when is_emulator

  /// Throws Error{launch_failed} with the driver's own name and sentence for `result`, unless it is
  /// CUDA_SUCCESS. `what` names the attempt ("cuMemAlloc of 4096 bytes").
  void check(CUresult result, const std::string& what) const;

  /// "CUDA_ERROR_INVALID_VALUE (invalid argument)".
  std::string describe(CUresult result) const;

  /// NVIDIA's driver, initialised; null where libcuda.so.1 does not exist. One that exists but
  /// fails to start throws Error{missing}. Opened once per process.
  static std::shared_ptr<const Driver> nvidia();

  /// The emulator, initialised. Throws Error{missing} naming the places searched.
  static std::shared_ptr<const Driver> emulated();
};

}  // namespace tilewright::runtime
