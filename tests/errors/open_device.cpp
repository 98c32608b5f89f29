// Opens the device it is given and prints the id and the sentence of the error, or "opened".
#include <cstdio>
#include <tilewright/error.hpp>

#include "runtime/device.hpp"

int main(int, char** arguments) {
  try {
    (void)tilewright::runtime::Device::open(arguments[1]);
    std::puts("opened");
  } catch (const tilewright::Error& error) {
    std::printf("%s\n%s\n", error.id(), error.what());
  }
}
