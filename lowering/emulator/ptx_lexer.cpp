// Tokens of PTX text (see ptx_lexer.hpp). The only delicate part is numbers: hexadecimal float
// patterns (0f3F800000, 0d...), 64-bit integers with an optional U, and decimal fractions.
#include "emulator/ptx_lexer.hpp"

#include <bit>
#include <cstdlib>

#include "emulator/engine.hpp"

namespace tilewright::emulator {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool starts_word(char c) { return is_letter(c) || c == '_' || c == '$' || c == '%' || c == '.'; }
bool continues_word(char c) { return starts_word(c) || is_digit(c); }

}  // namespace

Token Lexer::next() {
  Token taken = token_;
  advance();
  return taken;
}

bool Lexer::accept(char c) {
  if (!token_.is(c)) return false;
  advance();
  return true;
}

bool Lexer::accept(std::string_view word) {
  if (!token_.is(word)) return false;
  advance();
  return true;
}

Token Lexer::expect(char c) {
  if (!token_.is(c)) unexpected(std::string("'") + c + "'");
  return next();
}

Token Lexer::expect_word() {
  if (token_.kind != Token::Kind::word) unexpected("a word");
  return next();
}

std::uint64_t Lexer::expect_integer() {
  const bool negative = accept('-');
  if (token_.kind != Token::Kind::number || token_.float_bytes != 0) unexpected("an integer");
  const std::uint64_t bits = next().bits;
  return negative ? 0 - bits : bits;
}

void Lexer::skip_past(char c) {
  // The current token is already read, so it may itself be the one to stop at.
  while (!token_.is(c)) {
    if (token_.kind == Token::Kind::end) unexpected(std::string("'") + c + "'");
    advance();
  }
  advance();
}

void Lexer::skip_line() {
  const std::uint32_t line = token_.line;
  while (token_.kind != Token::Kind::end && token_.line == line) advance();
}

std::string Lexer::line_text() const {
  std::size_t begin = token_.kind == Token::Kind::end
                          ? text_.size()
                          : static_cast<std::size_t>(token_.text.data() - text_.data());
  std::size_t end = begin;
  while (begin > 0 && text_[begin - 1] != '\n') --begin;
  while (end < text_.size() && text_[end] != '\n') ++end;
  while (begin < end && (text_[begin] == ' ' || text_[begin] == '\t')) ++begin;
  return std::string(text_.substr(begin, end - begin));
}

void Lexer::unexpected(const std::string& wanted) const {
  const std::string found = token_.kind == Token::Kind::end ? "the end of the text"
                                                            : "'" + std::string(token_.text) + "'";
  throw PtxError(static_cast<int>(token_.line),
                 "expected " + wanted + " but found " + found + " in: " + line_text());
}

void Lexer::skip_blank() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '\n') {
      ++line_;
      ++at_;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\0') {
      ++at_;
    } else if (text_.substr(at_, 2) == "//") {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (text_.substr(at_, 2) == "/*") {
      const std::size_t close = text_.find("*/", at_ + 2);
      const std::size_t stop = close == std::string_view::npos ? text_.size() : close + 2;
      for (; at_ < stop; ++at_) line_ += text_[at_] == '\n';
    } else {
      return;
    }
  }
}

void Lexer::advance() {
  skip_blank();
  token_ = Token{};
  token_.line = line_;
  if (at_ >= text_.size()) return;
  const std::size_t begin = at_;
  const char c = text_[at_];
  if (starts_word(c)) {
    token_.kind = Token::Kind::word;
    while (at_ < text_.size()) {
      if (continues_word(text_[at_])) {
        ++at_;
      } else if (text_.substr(at_, 2) == "::") {
        at_ += 2;
      } else {
        break;
      }
    }
  } else if (is_digit(c)) {
    lex_number();
  } else if (c == '"') {
    token_.kind = Token::Kind::text;
    const std::size_t close = text_.find_first_of("\"\n", at_ + 1);
    at_ = close == std::string_view::npos ? text_.size() : close + (text_[close] == '"');
  } else {
    token_.kind = Token::Kind::punctuation;
    ++at_;
  }
  token_.text = text_.substr(begin, at_ - begin);
}

void Lexer::lex_number() {
  token_.kind = Token::Kind::number;
  const std::size_t begin = at_;
  while (at_ < text_.size() &&
         (continues_word(text_[at_]) ||
          ((text_[at_] == '-' || text_[at_] == '+') && at_ > begin + 1 &&
           (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E') && text_.substr(begin, 2) != "0x" &&
           text_.substr(begin, at_ - begin).find('.') != std::string::npos))) {
    ++at_;
  }
  std::string digits(text_.substr(begin, at_ - begin));
  const auto refuse = [&] {
    throw PtxError(static_cast<int>(line_), "'" + digits + "' is not a number PTX can write");
  };
  char* stop = nullptr;
  const char second = digits.size() > 1 ? digits[1] : '\0';
  if (digits[0] == '0' && (second == 'f' || second == 'F' || second == 'd' || second == 'D')) {
    token_.float_bytes = second == 'f' || second == 'F' ? 4 : 8;
    if (digits.size() != 2 + 2 * std::size_t{token_.float_bytes}) refuse();
    token_.bits = std::strtoull(digits.c_str() + 2, &stop, 16);
  } else if (digits.find('.') != std::string::npos) {
    token_.float_bytes = 8;
    token_.bits = std::bit_cast<std::uint64_t>(std::strtod(digits.c_str(), &stop));
  } else {
    if (digits.back() == 'U' || digits.back() == 'u') digits.pop_back();
    const bool binary = digits[0] == '0' && (second == 'b' || second == 'B');
    token_.bits = std::strtoull(digits.c_str() + (binary ? 2 : 0), &stop, binary ? 2 : 0);
  }
  if (stop == nullptr || *stop != '\0') refuse();
}

}  // namespace tilewright::emulator
