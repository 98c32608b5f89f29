// Lines of generated text: indentation, and for every line the statement it comes from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "emit/kernel_text.hpp"

namespace tilewright::emit {

class Writer {
 public:
  /// `wrap`: statements that would run past column 118 continue on further lines.
  explicit Writer(bool wrap = false) : wrap_(wrap) {}
  /// One line (or several, split at newlines), indented, without a trailing newline in `text`.
  void line(std::string_view text = {});
  /// A line with a comment set off to the right, or on a line of its own above where it would run
  /// past column 120.
  void line(std::string_view text, std::string_view comment);
  void open(std::string_view text);  ///< `text`, then one level deeper
  void open(std::string_view text, std::string_view comment);
  void close(std::string_view text = "}", int levels = 1);
  void indent() { ++depth_; }
  void append(const Writer& other);  ///< its lines, one level of this writer's indentation deeper
  void origin(const Provenance& where) { origin_ = where; }  ///< of the lines that follow

  const std::string& text() const { return text_; }
  const std::vector<LineOrigin>& lines() const { return lines_; }
  int next_line() const { return next_; }

 private:
  void put(std::string_view text);
  void put_line(std::string_view text, int indent);
  std::string text_;
  std::vector<LineOrigin> lines_;
  Provenance origin_;
  bool wrap_ = false;
  int depth_ = 0;
  int next_ = 1;
};

}  // namespace tilewright::emit
