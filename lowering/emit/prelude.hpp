// The verbs of generated CUDA: one machine instruction or a two-line idiom each. A file carries the
// ones it uses, in a fixed order, and includes nothing.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace tilewright::emit {

class Prelude {
 public:
  /// Makes sure the file defines `verb` (and what it needs). The name must be in the table.
  void use(std::string_view verb);
  /// The definitions, without the blank line after them.
  std::string text() const;
  /// Names the table defines, which variables of a kernel must not take.
  static bool defines(std::string_view name);

 private:
  std::set<std::string, std::less<>> used_;
};

}  // namespace tilewright::emit
