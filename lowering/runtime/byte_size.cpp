// See byte_size.hpp; tests/runtime/environment_test.cpp has the texts that are refused.
#include "runtime/byte_size.hpp"

#include <charconv>

namespace tilewright::runtime {
namespace {

constexpr std::string_view units = "KMGT";

}  // namespace

std::optional<std::uint64_t> parse_byte_size(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop == end || number == 0) return std::nullopt;
  const char letter = static_cast<char>(*stop & ~0x20);  // upper case, for letters
  const auto power = units.find(letter);
  if (power == units.npos || (*stop != letter && *stop != (letter | 0x20))) return std::nullopt;
  const std::string_view rest(stop + 1, static_cast<std::size_t>(end - stop - 1));
  if (!rest.empty() && rest != "iB") return std::nullopt;
  const unsigned shift = 10 * (static_cast<unsigned>(power) + 1);
  if (number >= std::uint64_t{1} << (63 - shift)) return std::nullopt;
  return number << shift;
}

}  // namespace tilewright::runtime
