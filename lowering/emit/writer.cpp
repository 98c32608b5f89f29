#include "emit/writer.hpp"

#include <algorithm>

namespace tilewright::emit {
namespace {

constexpr std::size_t comment_column = 68;
constexpr std::size_t last_column = 118;

/// The last " + " within `room` of those in the fewest parentheses.
std::size_t outermost_sum(std::string_view text, std::size_t room) {
  std::size_t best = std::string_view::npos;
  int depth = 0, least = 1 << 30;
  for (std::size_t i = 0; i + 3 <= room; ++i) {
    depth += (text[i] == '(' || text[i] == '[') - (text[i] == ')' || text[i] == ']');
    if (i < 24 || depth > least || text.substr(i, 3) != " + ") continue;
    best = i;
    least = depth;
  }
  return best;
}

}  // namespace

/// Breaks after a comma or before &&, || and |, as late as possible.
void Writer::put(std::string_view text) {
  int indent = 2 * depth_;
  // These lines end up one level deeper in the file.
  for (bool first = true; wrap_ && text.find("// ") == std::string_view::npos; first = false) {
    const std::size_t room = last_column - 2 - static_cast<std::size_t>(indent);
    if (text.size() <= room) break;
    // A loop's header ends a line best, then a comma, then the start of an operand.
    std::size_t at = std::string_view::npos;
    for (const std::string_view mark : {"++i) ", "++j) ", "++r) ", ", ", " || ", " && ", " | "}) {
      const std::size_t found = text.rfind(mark, room - mark.size());
      if (found == std::string_view::npos || found < 24) continue;
      const std::size_t end = found + (mark.front() == ' ' ? 0 : mark.size() - 1);
      if (at == std::string_view::npos || (mark.front() != '+' && mark != ", ")) at = end;
      if (mark.front() == '+') break;
    }
    if (at == std::string_view::npos) at = outermost_sum(text, room);
    if (at == std::string_view::npos) at = text.rfind(" ? ", room - 3);
    if (at == std::string_view::npos) break;
    put_line(text.substr(0, at), indent);
    text.remove_prefix(at + 1);
    if (first) indent += 4;
  }
  put_line(text, indent);
}

void Writer::put_line(std::string_view text, int indent) {
  if (!text.empty()) {
    text_.append(static_cast<std::size_t>(indent), ' ');
    text_ += text;
    if (origin_.user.line != 0) lines_.push_back({next_, origin_});
  }
  text_ += '\n';
  ++next_;
}

void Writer::line(std::string_view text) {
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    put(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  put(text);
}

void Writer::line(std::string_view text, std::string_view comment) {
  if (comment.empty()) return put(text);
  const std::size_t used = static_cast<std::size_t>(2 * depth_) + text.size();
  const std::size_t column = std::max(used + 2, comment_column);
  if (text.empty() || column + comment.size() + 5 > last_column) {
    // Broken between words; these lines end up one level deeper in the file.
    std::string mark = "// ";
    std::size_t room = last_column - mark.size() - static_cast<std::size_t>(2 * depth_);
    for (; comment.size() > room; mark = "//   ") {
      const std::size_t at = comment.rfind(' ', room);
      if (at == std::string_view::npos || at < room / 2) break;
      if (mark.size() == 3) room -= 2;
      put(mark + std::string(comment.substr(0, at)));
      comment.remove_prefix(at + 1);
    }
    put(mark + std::string(comment));
    if (!text.empty()) put(text);
    return;
  }
  put(std::string(text) + std::string(column - used, ' ') + "// " + std::string(comment));
}

void Writer::open(std::string_view text) {
  line(text);
  ++depth_;
}

void Writer::open(std::string_view text, std::string_view comment) {
  line(text, comment);
  ++depth_;
}

void Writer::close(std::string_view text, int levels) {
  depth_ -= levels;
  put(text);
}

void Writer::append(const Writer& other) {
  const int first = next_;
  std::string_view text = other.text_;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    if (end != 0) text_.append(static_cast<std::size_t>(2 * depth_), ' ');
    text_ += text.substr(0, end + 1);
    ++next_;
    text.remove_prefix(end + 1);
  }
  for (const LineOrigin& origin : other.lines_)
    lines_.push_back({first + origin.line - 1, origin.where});
}

}  // namespace tilewright::emit
