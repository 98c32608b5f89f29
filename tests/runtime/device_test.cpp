// Names of devices: what is refused, what is missing and what is said about it. The emulator's own
// devices are in emulator_test.cpp.
#include "runtime/device.hpp"

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <tilewright/error.hpp>

#include "runtime/surroundings.hpp"

using namespace tilewright;
using namespace tilewright::runtime;
using test::ScopedVariable;

TEST_CASE("an unknown device is refused with the names that exist") {
  for (const char* wrong : {"cuda", "cuda:", "cuda:x", "cuda:-1", "cuda:0x", "gpu", "emulator",
                            "emulator:sm_70", "Emulator:sm_80", "cuda:99999999999", " cuda:0"}) {
    CAPTURE(wrong);
    try {
      Device::open(wrong);
      FAIL("opened");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::invalid_argument);
      CHECK(std::string(error.id()) == "device-unknown");
      CHECK(error.argument() == "device");
      CHECK(error.value() == wrong);
      CHECK(error.allowed().find("emulator:sm_90a") != std::string::npos);
    }
  }
  ScopedVariable variable("TILEWRIGHT_DEVICE", "nonsense");
  try {
    Device::open();
    FAIL("opened");
  } catch (const Error& error) {
    CHECK(error.argument() == "TILEWRIGHT_DEVICE");
    CHECK(error.value() == "nonsense");
  }
}

TEST_CASE("a GPU that is not there is 'missing', and the message says what to do") {
  const bool has_driver = dlopen("libcuda.so.1", RTLD_LOCAL | RTLD_NOW) != nullptr;
  // With a driver, ordinal 1000 is what is not there.
  const std::string absent = has_driver ? "cuda:1000" : "cuda:0";
  try {
    Device::open(absent);
    FAIL("opened");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::missing);
    CHECK(std::string(error.id()) == (has_driver ? "gpu-not-there" : "gpu-driver-not-found"));
    CHECK(error.value() == absent);
    if (!has_driver) {
      CHECK(std::string(error.what()).find("libcuda.so.1") != std::string::npos);
      CHECK(std::string(error.what()).find("apt-get install") != std::string::npos);
      CHECK(error.allowed().find("emulator:sm_80") != std::string::npos);
    }
  }
}
