// Declarations of variables: types, array extents, alignments, initial values. Sizes are bounded
// here, so that what comes after can add them up.
#include <algorithm>
#include <bit>
#include <cstring>

#include "emulator/engine.hpp"
#include "emulator/ptx_parser.hpp"

namespace tilewright::emulator {
namespace {

// What no device has room for is refused where it is declared.
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 31;
constexpr std::uint64_t most_alignment = 65536;

}  // namespace

void Parser::variable_declaration(Space space, bool external) {
  Variable made;
  made.space = space;
  unsigned vector = 1, element = 0;
  Token word = lexer_.expect_word();
  for (; word.text[0] == '.'; word = lexer_.expect_word()) {
    if (word.is(".align")) {
      made.alignment = alignment();
    } else if (word.is(".v2") || word.is(".v4")) {
      vector = word.is(".v2") ? 2 : 4;
    } else if (word.is(".attribute")) {
      lexer_.skip_past(')');
    } else if (const auto type = find_type(word.text.substr(1)); type && bytes_of(*type) != 0) {
      element = bytes_of(*type);
    } else {
      fail(word.line, "unknown '" + std::string(word.text) + "' in a variable declaration");
    }
  }
  if (element == 0) fail(word.line, "variable '" + std::string(word.text) + "' has no type");
  made.alignment = std::max(made.alignment, element * vector);
  for (;; word = lexer_.expect_word()) {
    declare_variable(made, std::string(word.text), element, vector, external);
    if (!lexer_.accept(',')) break;
  }
  lexer_.expect(';');
}

/// After `.align`.
std::uint32_t Parser::alignment() {
  const std::uint32_t line = lexer_.peek().line;
  const std::uint64_t bytes = lexer_.expect_integer();
  if (!std::has_single_bit(bytes) || bytes > most_alignment)
    fail(line, "an alignment is a power of two up to " + std::to_string(most_alignment));
  return static_cast<std::uint32_t>(bytes);
}

/// After `[`: so many elements of `count` each.
std::uint64_t Parser::times_extent(std::uint64_t count) {
  const std::uint32_t line = lexer_.peek().line;
  const std::uint64_t extent = lexer_.expect_integer();
  lexer_.expect(']');
  if (extent > most_bytes || count * extent > most_bytes)
    fail(line, "an array has at most " + std::to_string(most_bytes) + " elements");
  return count * extent;
}

/// One name of a declaration; `made` holds what the names share.
void Parser::declare_variable(Variable made, const std::string& name, unsigned element,
                              std::uint64_t count, bool external) {
  made.name = name;
  while (lexer_.accept('[')) {
    if (lexer_.accept(']')) {
      count = 0;
    } else {
      count = times_extent(count);
    }
  }
  if (count * element > most_bytes)
    fail(lexer_.peek().line,
         "'" + name + "' is larger than " + std::to_string(most_bytes) + " bytes");
  made.dynamic = made.space == Space::shared && (external || count == 0);
  if (made.space == Space::parameter) {
    made.space = Space::local;
    made.passed = true;
  }
  made.bytes = made.dynamic ? 0 : count * element;
  if (lexer_.accept('=')) initializer(made, element);
  std::vector<Variable>& home = function_ == nullptr ? module_.variables : function_->variables;
  const int first = function_ == nullptr ? 0 : function_->first_variable;
  scope().variables[made.name] = first + static_cast<int>(home.size());
  home.push_back(std::move(made));
}

void Parser::initializer(Variable& variable, unsigned element_bytes) {
  if (variable.space == Space::shared || variable.space == Space::local) {
    fail(lexer_.peek().line, "'" + variable.name + "' may not have an initial value");
  }
  std::uint64_t at = 0;
  const bool unsized = variable.bytes == 0;
  int depth = 0;
  do {
    while (lexer_.accept('{')) ++depth;
    if (!lexer_.peek().is('}')) initializer_value(variable, element_bytes, at);
    while (depth > 0 && lexer_.accept('}')) --depth;
  } while (lexer_.accept(',') || (depth > 0 && !lexer_.peek().is(';')));
  if (unsized) variable.bytes = variable.initial.size();
}

void Parser::initializer_value(Variable& variable, unsigned element_bytes, std::uint64_t& at) {
  const Token token = lexer_.peek();
  std::uint64_t bits = 0;
  if (token.kind == Token::Kind::word) {
    Variable::Relocation relocation;
    relocation.at = at;
    lexer_.next();
    std::string symbol(token.text);
    if (token.is("generic")) {
      lexer_.expect('(');
      symbol = std::string(lexer_.expect_word().text);
      lexer_.expect(')');
    }
    relocation.variable = find_variable(symbol);
    const int function = relocation.variable < 0 ? find_function(symbol) : -1;
    if (function >= 0 && element_bytes == 8) {
      module_.functions[static_cast<std::size_t>(function)].address_taken = true;
      bits = function_address(static_cast<std::size_t>(function));
    } else if (relocation.variable < 0 || element_bytes != 8) {
      fail(token.line, "cannot initialise '" + variable.name + "' with '" + symbol + "'");
    } else {
      if (lexer_.accept('+'))
        relocation.addend = static_cast<std::int64_t>(lexer_.expect_integer());
      variable.relocations.push_back(relocation);
    }
  } else {
    const Operand value = number();
    bits = value.bits;
    if (value.float_bytes == 8 && element_bytes == 4) {
      double wide = 0;
      std::memcpy(&wide, &bits, 8);
      const float narrow = static_cast<float>(wide);
      bits = 0;
      std::memcpy(&bits, &narrow, 4);
    }
  }
  if (at + element_bytes > variable.initial.size()) {
    if (variable.bytes != 0 && at + element_bytes > variable.bytes)
      fail(token.line, "too many initial values for '" + variable.name + "'");
    variable.initial.resize(at + element_bytes);
  }
  std::memcpy(variable.initial.data() + at, &bits, element_bytes);
  at += element_bytes;
}

}  // namespace tilewright::emulator
