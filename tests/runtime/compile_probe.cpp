// A process of its own for compile_test.cpp: compiles one kernel through the service and prints
// "compiled" or "cached", then whether NVRTC was loaded into the process.
#include <cstdio>
#include <fstream>
#include <string>
#include <tilewright/error.hpp>

#include "runtime/compile.hpp"

int main(int count, char** arguments) {
  using namespace tilewright::runtime;
  const std::string text = count > 1 ? arguments[1] : "";
  try {
    const auto image = compile_image(text, "probe", "sm_80", ImageKind::cubin);
    std::ifstream maps("/proc/self/maps");
    bool loaded = false;
    for (std::string line; std::getline(maps, line);)
      loaded |= line.find("libnvrtc") != std::string::npos;
    std::printf("%s, NVRTC %s\n", image.from_cache ? "cached" : "compiled",
                loaded ? "opened" : "not opened");
    return 0;
  } catch (const tilewright::Error& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
}
