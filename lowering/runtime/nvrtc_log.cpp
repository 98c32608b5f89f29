// See nvrtc_log.hpp.
#include "runtime/nvrtc_log.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

namespace tilewright::runtime {
namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

/// 12 for "kernel.cu(12): error: …".
std::optional<int> line_number(std::string_view message, const std::string& file) {
  if (!message.starts_with(file + "(")) return std::nullopt;
  message.remove_prefix(file.size() + 1);
  int number = 0;
  const auto [stop, code] =
      std::from_chars(message.data(), message.data() + message.size(), number);
  message.remove_prefix(static_cast<std::size_t>(stop - message.data()));
  return code == std::errc{} && message.starts_with("): ") ? std::optional(number) : std::nullopt;
}

}  // namespace

NvrtcMessages explained(const std::string& log, const std::string& text, const std::string& file,
                        const LineOrigins& origins) {
  const auto source = lines_of(text);
  const auto said = lines_of(log);
  NvrtcMessages messages;
  for (std::size_t i = 0; i < said.size(); ++i) {
    messages.text += std::string(said[i]) + "\n";
    const auto number = line_number(said[i], file);
    if (!number) continue;
    const std::string origin = origins ? origins(*number) : "";
    if (!origin.empty()) messages.text += "  from " + origin + "\n";
    const bool is_error = said[i].find("): error") != std::string_view::npos;
    if (is_error && messages.where.empty()) messages.where = origin;
    if (*number < 1 || static_cast<std::size_t>(*number) > source.size()) continue;
    const std::string_view line = trimmed(source[static_cast<std::size_t>(*number) - 1]);
    const bool echoed = i + 1 < said.size() && trimmed(said[i + 1]) == line;
    if (!echoed) messages.text += "    " + std::string(line) + "\n";
  }
  return messages;
}

}  // namespace tilewright::runtime
