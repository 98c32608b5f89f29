// Indenting, joining and breaking lines. See lines.hpp.
#include "emit/lines.hpp"

namespace tilewright::emit {

namespace {

constexpr std::size_t column_limit = 120;
/// A statement joined with its header may still be indented by what is put around it.
constexpr std::size_t joined_limit = 104;

/// The last space within the limit that is not part of a string.
std::size_t last_space(const std::string& line) {
  std::size_t last = std::string::npos;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size() && i <= column_limit; ++i) {
    if (line[i] == '"' && (i == 0 || line[i - 1] != '\\')) quoted = !quoted;
    if (line[i] == ' ' && !quoted) last = i;
  }
  return last;
}

}  // namespace

void append(Lines& to, const Lines& more) { to.insert(to.end(), more.begin(), more.end()); }

void append_declared(Lines& to, const std::string& declaration, const Lines& more) {
  if (more.size() == 1 && declaration.size() + more[0].size() + 2 <= joined_limit) {
    to.push_back(declaration + "  " + more[0]);
  } else {
    to.push_back(declaration);
    append(to, more);
  }
}

Lines split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

void append_scope(Lines& to, const std::string& header, const std::string& comment,
                  const Lines& body) {
  to.push_back(with_comment(header + "{", comment));
  for (const std::string& line : body) to.push_back("  " + line);
  to.push_back("}");
}

void append_nested(Lines& to, const std::string& header, const Lines& body) {
  if (body.size() != 1) return append_scope(to, header + " ", "", body);
  const std::string joined = header + " " + body[0];
  if (joined.size() <= joined_limit) {
    to.push_back(joined);
  } else {
    to.push_back(header);
    to.push_back("  " + body[0]);
  }
}

std::string with_comment(const std::string& text, const std::string& comment) {
  if (comment.empty() || text.size() + comment.size() + 5 > joined_limit) return text;
  return text + "  // " + comment;
}

std::string join(const Lines& lines) {
  std::string text;
  for (std::string line : lines) {
    const std::size_t indent = line.find_first_not_of(' ');
    while (line.size() > column_limit && line.find("//") == std::string::npos) {
      const std::size_t cut = last_space(line);
      if (cut == std::string::npos || cut <= indent + 4) break;
      text += line.substr(0, cut) + "\n";
      line = std::string(indent + 4, ' ') + line.substr(cut + 1);
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace tilewright::emit
