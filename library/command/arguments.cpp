// See arguments.hpp.
#include "command/arguments.hpp"

#include <charconv>
#include <cmath>
#include <system_error>
#include <tilewright/error.hpp>
#include "command/errors.hpp"

namespace tilewright::command {
namespace {

[[noreturn]] void refuse(const ErrorEntry& entry, std::string_view option,
                         const std::string& message, const std::string& text,
                         const std::string& allowed) {
  throw Error(entry, message,
              {std::string(option), text.empty() ? "an empty text" : text, allowed, ""});
}

/// Reads the whole text as a number; the error code says why not.
template <typename Number>
std::errc read(const std::string& text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, number);
  if (code == std::errc{} && stop != end) return std::errc::invalid_argument;
  return code;
}

}  // namespace

std::string Arguments::text(std::string_view name, std::string_view fallback) const {
  const auto found = texts_.find(name);
  return found == texts_.end() ? std::string(fallback) : found->second;
}

std::int64_t Arguments::integer(std::string_view name, std::int64_t fallback, std::int64_t lowest,
                                std::int64_t highest) const {
  if (!given(name)) return fallback;
  const std::string text = this->text(name);
  const std::string allowed =
      "an integer from " + std::to_string(lowest) + " to " + std::to_string(highest);
  std::int64_t number = 0;
  const std::errc code = read(text, number);
  if (code == std::errc::invalid_argument) {
    refuse(errors::command["option-not-a-number"], name, std::string(name) + " is not an integer",
           text, allowed);
  }
  if (code != std::errc{} || number < lowest || number > highest) {
    refuse(errors::command["option-out-of-range"], name, std::string(name) + " is out of range",
           text, allowed);
  }
  return number;
}

std::uint64_t Arguments::seed(std::string_view name, std::uint64_t fallback) const {
  if (!given(name)) return fallback;
  const std::string text = this->text(name);
  std::uint64_t number = 0;
  if (read(text, number) != std::errc{}) {
    refuse(errors::command["option-not-a-number"], name, std::string(name) + " is not a seed", text,
           "an integer from 0 to 18446744073709551615");
  }
  return number;
}

double Arguments::real(std::string_view name, double fallback) const {
  if (!given(name)) return fallback;
  const std::string text = this->text(name);
  double number = 0;
  if (read(text, number) != std::errc{} || !std::isfinite(number)) {
    refuse(errors::command["option-not-a-number"], name,
           std::string(name) + " is not a finite number", text, "a finite decimal number");
  }
  return number;
}

std::size_t Arguments::choice(std::string_view name, std::size_t fallback,
                              std::span<const std::string_view> allowed) const {
  if (!given(name)) return fallback;
  const std::string text = this->text(name);
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    if (allowed[i] == text) return i;
  }
  refuse(errors::command["option-value-unknown"], name, std::string(name) + " has an unknown value",
         text, joined(allowed));
}

std::string joined(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

}  // namespace tilewright::command
