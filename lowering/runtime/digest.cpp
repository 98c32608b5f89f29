// Comment blanking as a four-state scanner, and XXH3 from the xxhash headers.
// A line comment that ends in a backslash continues on the next line, as in C++.
#include "runtime/digest.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <new>

namespace tilewright::runtime {
namespace {

enum class In { code, line_comment, block_comment, literal };

void strip_trailing_blanks(std::string& text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.pop_back();
}

}  // namespace

std::string without_comments(std::string_view text) {
  if (text.find("R\"") != std::string_view::npos) return std::string(text);
  std::string kept;
  kept.reserve(text.size());
  In state = In::code;
  bool blanked = false;  // a comment was removed from the current line
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (c == '\n') {
      const bool continued = state == In::line_comment && i > 0 && text[i - 1] == '\\';
      if (blanked) strip_trailing_blanks(kept);
      kept += c;
      blanked = state == In::block_comment || continued;
      if (state == In::line_comment && !continued) state = In::code;
      continue;
    }
    switch (state) {
      case In::code:
        if (c == '/' && (next == '/' || next == '*')) {
          state = next == '/' ? In::line_comment : In::block_comment;
          blanked = true;
          kept += ' ';  // a comment separates tokens
          ++i;
        } else {
          if (c == '"' || c == '\'') {
            state = In::literal;
            quote = c;
          }
          kept += c;
        }
        break;
      case In::literal:
        kept += c;
        if (c == '\\' && next != '\n' && next != '\0') {
          kept += next;
          ++i;
        } else if (c == quote) {
          state = In::code;
        }
        break;
      case In::block_comment:
        if (c == '*' && next == '/') {
          state = In::code;
          ++i;
        }
        break;
      case In::line_comment: break;
    }
  }
  if (blanked) strip_trailing_blanks(kept);
  return kept;
}

Digest::Digest() : state_(XXH3_createState()) {
  if (!state_) throw std::bad_alloc();
  XXH3_128bits_reset(static_cast<XXH3_state_t*>(state_));
}

Digest::~Digest() { XXH3_freeState(static_cast<XXH3_state_t*>(state_)); }

Digest& Digest::add(std::string_view field) {
  auto* state = static_cast<XXH3_state_t*>(state_);
  const std::uint64_t length = field.size();
  XXH3_128bits_update(state, &length, sizeof length);
  XXH3_128bits_update(state, field.data(), field.size());
  return *this;
}

std::string Digest::hex() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(static_cast<const XXH3_state_t*>(state_));
  XXH128_canonical_t canonical;  // the same digits on every byte order
  XXH128_canonicalFromHash(&canonical, hash);
  std::string digits;
  for (const unsigned char byte : canonical.digest) {
    digits += "0123456789abcdef"[byte >> 4];
    digits += "0123456789abcdef"[byte & 15];
  }
  return digits;
}

}  // namespace tilewright::runtime
