// What was typed, by option name, and the typed reading of it.
//
// The command line is parsed to text only; each value is read where it is used, so every refusal
// names the option, what was given and what is allowed, in one form. See also command_line.cpp,
// which fills this, and shape_options.cpp, its main reader.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace tilewright::command {

class Arguments {
 public:
  void set(std::string_view name, std::string text) { texts_[std::string(name)] = std::move(text); }
  bool given(std::string_view name) const { return texts_.find(name) != texts_.end(); }
  bool flag(std::string_view name) const { return given(name); }

  std::string text(std::string_view name, std::string_view fallback = {}) const;

  /// Throws Error{invalid_argument} unless the text is an integer in [lowest, highest].
  std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t lowest,
                       std::int64_t highest) const;

  /// Any unsigned 64-bit number. Throws Error{invalid_argument} otherwise.
  std::uint64_t seed(std::string_view name, std::uint64_t fallback) const;

  /// Throws Error{invalid_argument} unless the text is a finite number.
  double real(std::string_view name, double fallback) const;

  /// Index of the text in `allowed`, `fallback` if the option was not given. Throws
  /// Error{invalid_argument} listing the allowed words.
  std::size_t choice(std::string_view name, std::size_t fallback,
                     std::span<const std::string_view> allowed) const;

 private:
  std::map<std::string, std::string, std::less<>> texts_;
};

/// Words joined by ", ", for the `allowed` of an error.
std::string joined(std::span<const std::string_view> words);

}  // namespace tilewright::command
