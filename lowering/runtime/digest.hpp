// The cache key: a 128-bit hash of everything a compiled image depends on, and of nothing else.
// The one idea: comments cannot change code, and the generated text's comments carry the user's
// file and line. Blanking them (line count kept, so line tables stay right) lets a kernel whose
// source only moved hit the cache.
// Next: cache.hpp; tests/runtime/digest_test.cpp.
#pragma once

#include <string>
#include <string_view>

namespace tilewright::runtime {

/// `text` without its comments and without the blanks they leave at line ends. Newlines stay, also
/// those inside comments; string and character literals are untouched. A text with a raw string
/// literal is returned as it is.
std::string without_comments(std::string_view text);

/// XXH3-128 over a sequence of fields. Each field is preceded by its length, so that no two
/// different sequences feed the same bytes.
class Digest {
 public:
  Digest();
  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  Digest& add(std::string_view field);

  /// 32 lower-case hexadecimal digits.
  std::string hex() const;

 private:
  void* state_;
};

}  // namespace tilewright::runtime
