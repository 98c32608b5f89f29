// What `tilewright doctor` looks at, gathered apart from how it is shown.
//
// Every part is looked at on its own: one that is missing or broken is a finding with the command
// that installs it, never the end of the examination.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tilewright::command {

struct DeviceFinding {
  std::string spec;  ///< what --device takes: "cuda:0"
  std::string name;
  std::string arch;  ///< "sm_80"
  int sm_count = 0;
  std::uint64_t memory_bytes = 0;
};

/// One thing looked for. `problem` is empty if all is well.
struct Finding {
  bool found = false;
  std::string version;
  std::string path;
  std::string problem;
  std::string install;  ///< the command that mends it
};

struct CacheFinding {
  std::string path;
  std::uint64_t limit = 0;  ///< bytes; 0: switched off
  bool writable = false;
  std::size_t entries = 0;
  std::uint64_t bytes = 0;
  std::string problem;
  std::string install;  ///< what mends it
};

struct Examination {
  Finding nvrtc;
  std::vector<int> nvrtc_architectures;  ///< 80, 86, ...
  Finding gpu_driver;
  Finding emulator;
  std::vector<DeviceFinding> devices;
  CacheFinding cache;

  /// Kernels can be compiled and run here, if only on the emulator.
  bool ok() const { return nvrtc.found && !devices.empty(); }
};

Examination examine();

}  // namespace tilewright::command
