// The tables of all parts, gathered; as text, and one entry by its id.
#include "command/catalogue.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <tilewright/errors.hpp>

#include "attention/blocks_errors.hpp"
#include "attention/errors.hpp"
#include "command/context.hpp"
#include "command/errors.hpp"
#include "emit/errors.hpp"
#include "emulator/errors.hpp"
#include "formats/errors.hpp"
#include "ir/errors.hpp"
#include "passes/errors.hpp"
#include "pictures/errors.hpp"
#include "plan_errors.hpp"
#include "program_errors.hpp"
#include "runtime/errors.hpp"
#include "scores/errors.hpp"
#include "variants/errors.hpp"

namespace tilewright::command {
namespace {

constexpr ErrorTable tables[] = {
    errors::command,  errors::formats, errors::scores,  errors::attention, errors::variants,
    errors::pictures, errors::blocks,  errors::dsl,     errors::program,   errors::plan,
    errors::passes,   errors::emit,    errors::runtime, errors::emulator,  errors::ir,
};

const char* meaning(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_argument:
      return "an option, shape, type or value that no machine could accept";
    case ErrorKind::shape_mismatch: return "two extents that must agree do not";
    case ErrorKind::unsupported: return "meaningful, but not built for this target";
    case ErrorKind::invalid_program: return "a kernel that breaks a rule of the language";
    case ErrorKind::invalid_file: return "a file that is not what it claims to be";
    case ErrorKind::missing: return "NVRTC, a driver or a device that is not on this machine";
    case ErrorKind::compile_failed: return "NVRTC refused the generated text";
    case ErrorKind::launch_failed: return "the driver refused, or the device faulted";
    case ErrorKind::io: return "a file that could not be read or written";
  }
  return "";
}

constexpr std::size_t columns = 100;

/// The words of `text`, broken at blanks; every line begins with `indent`.
std::string wrapped(std::string_view text, const std::string& indent) {
  std::string lines, line = indent;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (line.size() > indent.size() && line.size() + 1 + end > columns) {
      lines += line + "\n";
      line = indent;
    }
    line += (line.size() > indent.size() ? " " : "") + std::string(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines + line + "\n";
}

/// Words that two ids have in common.
std::size_t common_words(std::string_view one, const std::string& other) {
  std::size_t count = 0;
  while (!one.empty()) {
    const std::size_t end = std::min(one.find('-'), one.size());
    count += end > 2 && other.find(one.substr(0, end)) != std::string::npos;
    one.remove_prefix(std::min(end + 1, one.size()));
  }
  return count;
}

}  // namespace

std::vector<const ErrorEntry*> catalogue() {
  std::vector<const ErrorEntry*> entries;
  for (const ErrorTable& table : tables)
    for (const ErrorEntry& entry : table) entries.push_back(&entry);
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto* a, const auto* b) { return a->kind < b->kind; });
  return entries;
}

const ErrorEntry& catalogued(const std::string& id) {
  std::size_t most = 1;
  std::string close;
  for (const ErrorEntry* entry : catalogue()) {
    if (id == entry->id) return *entry;
    const std::size_t common = common_words(id, entry->id);
    if (common < most) continue;
    close = common > most || close.empty() ? entry->id : close + ", " + entry->id;
    most = common;
  }
  throw Error(errors::command["error-unknown"], "there is no error of that id",
              {"ID", id, close.empty() ? "see tilewright doctor --errors" : close, ""});
}

std::string catalogue_text(const std::vector<const ErrorEntry*>& entries) {
  std::string text;
  const ErrorKind* kind = nullptr;
  for (const ErrorEntry* entry : entries) {
    if (kind == nullptr || *kind != entry->kind) {
      text +=
          fmt::format("{}{}: {} (exit status {})\n", text.empty() ? "" : "\n", name(entry->kind),
                      meaning(entry->kind), static_cast<int>(status_of(entry->kind)));
    }
    kind = &entry->kind;
    text += fmt::format("\n  {}\n", entry->id);
    text +=
        wrapped(entry->cause, "    ") + wrapped(std::string("Remedy: ") + entry->remedy, "    ");
  }
  return text;
}

}  // namespace tilewright::command
