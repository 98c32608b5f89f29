// A trace is one run of a kernel's lambda. It knows the gate that listens, the loops that are open
// and whose line a statement belongs to. Statements reach it through a thread-local pointer, so
// that the language reads like C++ and needs no context argument. Next: record.hpp.
#pragma once

#include <atomic>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "tilewright/dsl/gate.hpp"
#include "tilewright/error.hpp"
#include "tilewright/errors.hpp"

namespace tilewright {
namespace detail {

inline Where where_of(const std::source_location& place) {
  return {place.file_name(), static_cast<std::uint32_t>(place.line())};
}

/// "dir/file.cpp:12", the last two components, as the generated text prints it.
[[gnu::noinline]] inline std::string short_place(const std::source_location& place) {
  std::string_view file = place.file_name();
  const auto last = file.rfind('/');
  if (last != std::string_view::npos && last > 0) {
    const auto before = file.rfind('/', last - 1);
    if (before != std::string_view::npos) file.remove_prefix(before + 1);
  }
  return std::string(file) + ":" + std::to_string(place.line());
}

class Trace {
 public:
  explicit Trace(Gate& gate) : gate_(gate), outer_(current_), serial_(++count_) { current_ = this; }
  ~Trace() { current_ = outer_; }
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// The running trace. Throws invalid_program where there is none: `what` names the statement.
  static Trace& current(std::string_view what, const std::source_location& place) {
    if (current_ == nullptr) refuse_outside(what, place);
    return *current_;
  }
  /// The same for what has no place of its own (reading a `Var`).
  static Trace& current(std::string_view what) {
    return current_ != nullptr ? *current_ : current(what, std::source_location());
  }

  /// The running trace, or null.
  static Trace* running() { return current_; }

  Gate& gate() const { return gate_; }
  std::uint32_t serial() const { return serial_; }
  Provenance provenance(const std::source_location& place) const {
    if (caller_ == nullptr) return {where_of(place), {}};
    return {where_of(*caller_), where_of(place)};
  }

  const std::source_location* caller() const { return caller_; }
  void set_caller(const std::source_location* caller) { caller_ = caller; }

  std::vector<std::string_view> loops;  ///< dimensions of the open for_blocks, outermost first

 private:
  [[noreturn, gnu::noinline]] static void refuse_outside(std::string_view what,
                                                         const std::source_location& place) {
    throw Error(errors::dsl["statement-outside-kernel"],
                std::string(what) + " stands outside a kernel: statements of the language belong " +
                    "in the lambda given to kernel(name, lambda)",
                {std::string(what), "", "", place.line() == 0 ? "" : short_place(place)});
  }

  inline static thread_local Trace* current_ = nullptr;
  inline static std::atomic<std::uint32_t> count_ = 0;

  Gate& gate_;
  Trace* outer_;
  std::uint32_t serial_;
  const std::source_location* caller_ = nullptr;
};

}  // namespace detail

/// For constructs written in the language, such as OnlineSoftmax: while it lives, statements belong
/// to the caller's line and print as "user.cpp:19 > online_softmax.hpp:31". Of nested ones the
/// outermost counts.
class CalledFrom {
 public:
  [[gnu::noinline]] explicit CalledFrom(std::string_view construct,
                                        const std::source_location& place)
      : place_(place), trace_(detail::Trace::current(construct, place)), outer_(trace_.caller()) {
    if (outer_ == nullptr) trace_.set_caller(&place_);
  }
  ~CalledFrom() { trace_.set_caller(outer_); }
  CalledFrom(const CalledFrom&) = delete;
  CalledFrom& operator=(const CalledFrom&) = delete;

 private:
  std::source_location place_;
  detail::Trace& trace_;
  const std::source_location* outer_;
};

}  // namespace tilewright
