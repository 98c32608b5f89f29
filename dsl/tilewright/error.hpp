// The one error every layer throws: what was wrong, what was given, what is allowed, and where.
// A caller can act on the fields; `what()` is the sentence a person reads.
#pragma once

#include <stdexcept>
#include <string>
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

/// What every refusal carries. `argument` names what was wrong (an option, a tensor, a dimension),
/// `value` what was given, `allowed` what would have been accepted, `where` the user's file:line
/// (empty when the request came from outside a kernel).
class Error : public std::runtime_error {
 public:
  struct Detail {
    std::string argument;
    std::string value;
    std::string allowed;
    std::string where;
  };

  Error(ErrorKind kind, const std::string& message) : Error(kind, message, Detail()) {}
  Error(ErrorKind kind, const std::string& message, Detail detail)
      : std::runtime_error(sentence(message, detail)), kind_(kind), detail_(std::move(detail)) {}

  ErrorKind kind() const { return kind_; }
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

  ErrorKind kind_;
  Detail detail_;
};

}  // namespace tilewright
