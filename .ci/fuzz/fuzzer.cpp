// libFuzzer's entry point, one program per target: TILEWRIGHT_FUZZ_TARGET names its function.
#include <cstddef>
#include <cstdint>

#include "targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tilewright::fuzz::TILEWRIGHT_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
