// Launches one of a program's two texts without a plan, from PTX that a test may have changed.
// Temps are tensors like any other here, so that one kernel of a plan runs alone.
#pragma once

#include <map>
#include <string>
#include <tilewright/compile.hpp>
#include <vector>

#include "ir/interpret.hpp"

namespace tilewright::test {

/// Waits for the end; a fault throws Error as Device::synchronize does. Resets the emulator before.
void launch_form(const Device& device, const Program& program, bool aligned, const std::string& ptx,
                 const std::vector<Binding>& arguments);

/// Host tensors and their copies in device memory.
class DeviceTensors {
 public:
  DeviceTensors(const Device& device, const std::map<std::string, ir::HostTensor>& tensors);
  std::vector<Binding> bindings() const;
  std::map<std::string, ir::HostTensor> download() const;

 private:
  std::map<std::string, ir::HostTensor> tensors_;
  std::map<std::string, Buffer> buffers_;
};

}  // namespace tilewright::test
