// The one error every layer throws: what was wrong, what was given, what is allowed, and where.
// A caller can act on the fields; `what()` is the sentence a person reads.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace tilewright {

/// The kinds a program may branch on. The command's exit status follows from them:
/// `missing` is 3 (something this machine lacks), `failed` is 1, every other kind is 2.
enum class ErrorKind {
  invalid_argument,  ///< an option, shape, dtype or value that no machine could accept
  shape_mismatch,    ///< two extents that must agree do not
  unsupported,       ///< meaningful, but not built for this target
  invalid_program,   ///< a kernel that breaks a rule of the language
  invalid_file,      ///< a file that is not what it claims to be
  missing,           ///< NVRTC, a driver or a device that is not on this machine
  compile_failed,    ///< NVRTC refused the generated text: a defect of Tilewright
  launch_failed,     ///< the driver refused, or the device faulted
  io,                ///< a file that could not be read or written
};

constexpr const char* name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_argument: return "invalid_argument";
    case ErrorKind::shape_mismatch: return "shape_mismatch";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::invalid_program: return "invalid_program";
    case ErrorKind::invalid_file: return "invalid_file";
    case ErrorKind::missing: return "missing";
    case ErrorKind::compile_failed: return "compile_failed";
    case ErrorKind::launch_failed: return "launch_failed";
    case ErrorKind::io: return "io";
  }
  return "unknown";
}

/// One way to fail, as the catalogue of errors has it (`tilewright doctor --errors`): a word that
/// stays the same from version to version, the kind, why it happens and what to do about it.
struct ErrorEntry {
  const char* id;
  ErrorKind kind;
  const char* cause;   ///< one sentence
  const char* remedy;  ///< one sentence, what to do
};

/// The entries of one part of Tilewright. `table["id"]` names one; an id that the table lacks does
/// not compile, so that nothing can be thrown that the catalogue does not know.
class ErrorTable {
 public:
  template <std::size_t count>
  constexpr explicit ErrorTable(const ErrorEntry (&entries)[count])
      : begin_(entries), end_(entries + count) {}

  consteval const ErrorEntry& operator[](std::string_view id) const {
    for (const ErrorEntry* entry = begin_; entry != end_; ++entry)
      if (id == entry->id) return *entry;
    throw "no error of this table has that id";
  }
  constexpr const ErrorEntry* begin() const { return begin_; }
  constexpr const ErrorEntry* end() const { return end_; }

 private:
  const ErrorEntry* begin_;
  const ErrorEntry* end_;
};

/// What every refusal carries, beside its entry of the catalogue. `argument` names what was wrong
/// (an option, a tensor, a dimension), `value` what was given, `allowed` what would have been
/// accepted, `where` the user's file:line (empty when the request came from outside a kernel).
class Error : public std::runtime_error {
 public:
  struct Detail {
    std::string argument;
    std::string value;
    std::string allowed;
    std::string where;
  };

  /// `entry` outlives the error: it stands in a table.
  Error(const ErrorEntry& entry, const std::string& message) : Error(entry, message, Detail()) {}
  Error(const ErrorEntry& entry, const std::string& message, Detail detail)
      : std::runtime_error(sentence(message, detail)), entry_(&entry), detail_(std::move(detail)) {}
  Error(const ErrorEntry&& entry, const std::string&, Detail = {}) = delete;

  const char* id() const { return entry_->id; }
  ErrorKind kind() const { return entry_->kind; }
  /// What to do about errors of this id; `allowed()` and `what()` are about this very one.
  const char* remedy() const { return entry_->remedy; }
  const std::string& argument() const { return detail_.argument; }
  const std::string& value() const { return detail_.value; }
  const std::string& allowed() const { return detail_.allowed; }
  const std::string& where() const { return detail_.where; }

 private:
  static std::string sentence(const std::string& message, const Detail& detail) {
    std::string text;
    if (!detail.where.empty()) text += detail.where + ": ";
    text += message;
    if (!detail.value.empty()) text += " (got " + detail.value + ")";
    if (!detail.allowed.empty()) text += "; allowed: " + detail.allowed;
    return text;
  }

  const ErrorEntry* entry_;
  Detail detail_;
};

}  // namespace tilewright
