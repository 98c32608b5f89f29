// The text of a device printf: a format string and the packed arguments that `vprintf` is given.
// What CUDA's printf knows of C's: flags, width, precision, the sizes h, l, ll, and the conversions
// d i u o x X c s p f F e E g G a A %. Anything else is printed as it stands.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace tilewright::emulator {

struct FormatSource {
  /// The next `bytes` of the arguments, at a multiple of `bytes`; zero where there are none.
  std::function<std::uint64_t(unsigned bytes)> argument;
  /// The text at a device address.
  std::function<std::string(std::uint64_t address)> text;
};

/// `count` receives the number of arguments the format used.
std::string format(const std::string& pattern, const FormatSource& source, int& count);

}  // namespace tilewright::emulator
