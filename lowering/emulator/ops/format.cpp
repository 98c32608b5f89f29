// One conversion at a time, each by the host's snprintf with the specification rebuilt for the
// host's types (see format.hpp).
#include "emulator/ops/format.hpp"

#include <bit>
#include <cstdio>
#include <vector>

namespace tilewright::emulator {
namespace {

struct Specification {
  std::string flags, width, precision;  ///< precision with its dot
  unsigned long_words = 0, short_words = 0;
  char conversion = '\0';
};

template <class Value>
std::string converted(const Specification& how, const char* size, Value value) {
  const std::string pattern = "%" + how.flags + how.width + how.precision + size + how.conversion;
  const int length = std::snprintf(nullptr, 0, pattern.c_str(), value);
  std::vector<char> text(static_cast<std::size_t>(length < 0 ? 0 : length) + 1);
  std::snprintf(text.data(), text.size(), pattern.c_str(), value);
  return text.data();
}

class Formatter {
 public:
  Formatter(const std::string& pattern, const FormatSource& source)
      : pattern_(pattern), source_(source) {}

  std::string run(int& count) {
    while (at_ < pattern_.size()) {
      if (pattern_[at_] != '%') {
        text_ += pattern_[at_++];
        continue;
      }
      const std::size_t begin = at_++;
      if (!conversion()) text_ += pattern_.substr(begin, at_ - begin);
    }
    count = count_;
    return text_;
  }

 private:
  std::uint64_t take(unsigned bytes) {
    ++count_;
    return source_.argument(bytes);
  }

  std::string number() {
    if (at_ < pattern_.size() && pattern_[at_] == '*') {
      ++at_;
      return std::to_string(static_cast<std::int32_t>(take(4)));
    }
    std::string digits;
    while (at_ < pattern_.size() && pattern_[at_] >= '0' && pattern_[at_] <= '9')
      digits += pattern_[at_++];
    return digits;
  }

  /// False: not a conversion; what was read is printed as it stands.
  bool conversion() {
    Specification how;
    const auto next = [&](const char* set) {
      return at_ < pattern_.size() && std::string(set).find(pattern_[at_]) != std::string::npos;
    };
    while (next("-+ #0")) how.flags += pattern_[at_++];
    how.width = number();
    if (next(".")) {
      ++at_;
      how.precision = "." + number();
      if (how.precision.size() > 1 && how.precision[1] == '-') how.precision.clear();
    }
    for (; next("hlLqjzt"); ++at_) {
      if (pattern_[at_] == 'h') ++how.short_words;
      if (pattern_[at_] != 'h') ++how.long_words;
    }
    if (at_ >= pattern_.size()) return false;
    how.conversion = pattern_[at_++];
    switch (how.conversion) {
      case '%': text_ += '%'; return true;
      case 'd':
      case 'i': text_ += converted(how, "ll", integer(how, true)); return true;
      case 'u':
      case 'o':
      case 'x':
      case 'X': text_ += converted(how, "ll", integer(how, false)); return true;
      case 'c': text_ += converted(how, "", static_cast<int>(take(4))); return true;
      case 'p':
        text_ += converted(how, "", reinterpret_cast<void*>(static_cast<std::uintptr_t>(take(8))));
        return true;
      case 's': text_ += converted(how, "", source_.text(take(8)).c_str()); return true;
      case 'f':
      case 'F':
      case 'e':
      case 'E':
      case 'g':
      case 'G':
      case 'a':
      case 'A': text_ += converted(how, "", std::bit_cast<double>(take(8))); return true;
      default: return false;
    }
  }

  long long integer(const Specification& how, bool sign) {
    if (how.long_words > 0) return static_cast<long long>(take(8));
    const std::uint64_t bits = take(4);
    if (how.short_words == 1) {
      return sign ? static_cast<std::int16_t>(bits) : static_cast<std::uint16_t>(bits);
    }
    if (how.short_words > 1) {
      return sign ? static_cast<std::int8_t>(bits) : static_cast<std::uint8_t>(bits);
    }
    return sign ? static_cast<long long>(static_cast<std::int32_t>(bits))
                : static_cast<long long>(static_cast<std::uint32_t>(bits));
  }

  const std::string& pattern_;
  const FormatSource& source_;
  std::size_t at_ = 0;
  std::string text_;
  int count_ = 0;
};

}  // namespace

std::string format(const std::string& pattern, const FormatSource& source, int& count) {
  return Formatter(pattern, source).run(count);
}

}  // namespace tilewright::emulator
