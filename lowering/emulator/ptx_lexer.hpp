// Splits PTX text into words, numbers and punctuation, remembering lines.
// A word keeps its dots and `::` ("ld.global.v4.f32", "%tid.x"); comments vanish here.
// The parser (ptx_parser.hpp) reads one token at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tilewright::emulator {

struct Token {
  enum class Kind : std::uint8_t { end, word, number, text, punctuation };
  Kind kind = Kind::end;
  std::string_view text;
  std::uint32_t line = 1;
  std::uint64_t bits = 0;        ///< of a number
  std::uint8_t float_bytes = 0;  ///< 4 for 0f..., 8 for 0d... and decimal fractions
  bool is(char c) const { return kind == Kind::punctuation && text[0] == c; }
  bool is(std::string_view word) const { return kind == Kind::word && text == word; }
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) { advance(); }

  const Token& peek() const { return token_; }
  Token next();
  bool accept(char c);
  bool accept(std::string_view word);
  Token expect(char c);            ///< throws PtxError naming what stands there instead
  Token expect_word();             ///< likewise
  std::uint64_t expect_integer();  ///< an unsigned number; a leading minus is folded in
  /// Drops everything up to and including the next `c`, across lines.
  void skip_past(char c);
  /// Drops the rest of the current line.
  void skip_line();
  /// The whole line around the current token, for messages.
  std::string line_text() const;

 private:
  void advance();
  void skip_blank();
  void lex_number();
  [[noreturn]] void unexpected(const std::string& wanted) const;

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  Token token_;
};

}  // namespace tilewright::emulator
