// What the lessons share and what is not their point: the command line, the verdict, and tensors
// (tensor.hpp). Everything a kernel author has to learn stands in the lessons. Next: 01_add.cpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <tilewright/compile.hpp>
#include <vector>

#include "tensor.hpp"

namespace lesson {

using example::Tensor;
using example::worse;
using tilewright::Device;

inline bool wants_cuda(int count, char** words) {
  return count > 1 && std::string_view(words[1]) == "--cuda";
}

inline int show(const std::string& cuda) { return std::fputs(cuda.c_str(), stdout) < 0 ? 1 : 0; }

/// Prints the verdict; the program's exit status. The emulator's faults count as a wrong result.
inline int verdict(const tilewright::Plan& plan, double error, double allowed) {
  const Device& device = plan.device();
  const std::string faults = device.is_emulator() ? device.emulator()->faults() : "[]";
  const bool ok = error <= allowed && faults == "[]";
  std::printf("%s on %s: max error %.2g, allowed %.2g: %s\n", plan.program().traced.name.c_str(),
              device.spec().c_str(), error, allowed, ok ? "ok" : "WRONG");
  if (faults != "[]") std::printf("faults: %s\n", faults.c_str());
  return ok ? 0 : 1;
}

/// The end of a lesson that could not run: nothing to compile with, no device, a faulting kernel.
inline int failed(const tilewright::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

}  // namespace lesson
