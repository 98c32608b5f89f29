// Directives: module header, kernel signatures, registers. Debug sections are skipped; everything
// else unknown is an error that names its line. Variables are in ptx_variables.cpp, instructions in
// ptx_statement.cpp.
#include "emulator/ptx_parser.hpp"

#include <algorithm>
#include <charconv>

#include "emulator/engine.hpp"

namespace tilewright::emulator {
namespace {

template <class Value>
Value round_up(Value value, Value alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

std::string without_dot(const Token& word) { return std::string(word.text.substr(1)); }

constexpr std::uint32_t most_parameter_bytes = 32764;  // of a kernel: PTX ISA, section 5.2.3

}  // namespace

void Parser::fail(std::uint32_t line, const std::string& message) const {
  throw PtxError(static_cast<int>(line), message);
}

ModuleText Parser::parse() {
  scopes_.emplace_back();
  while (lexer_.peek().kind != Token::Kind::end) {
    if (lexer_.accept(';')) continue;
    module_directive(lexer_.expect_word());
  }
  if (module_.target == 0) fail(1, "no .target line: this is not PTX");
  return std::move(module_);
}

void Parser::module_directive(const Token& word) {
  if (word.is(".version") || word.is(".address_size") || word.is(".file")) {
    lexer_.skip_line();
  } else if (word.is(".target")) {
    target_directive();
  } else if (word.is(".visible") || word.is(".weak") || word.is(".common")) {
    return;
  } else if (word.is(".extern")) {
    const Token kind = lexer_.expect_word();
    if (kind.is(".func")) {
      function_directive();
    } else if (kind.is(".shared")) {
      variable_declaration(Space::shared, true);
    } else {
      fail(kind.line, "'.extern " + std::string(kind.text) +
                          "' refers to another module; a module must be complete");
    }
  } else if (word.is(".entry")) {
    entry();
  } else if (word.is(".func")) {
    function_directive();
  } else if (word.is(".global")) {
    variable_declaration(Space::global, false);
  } else if (word.is(".const")) {
    variable_declaration(Space::constant, false);
  } else if (word.is(".shared")) {
    variable_declaration(Space::shared, false);
  } else if (word.is(".section")) {
    lexer_.skip_past('}');
  } else if (word.is(".pragma") || word.is(".alias")) {
    lexer_.skip_past(';');
  } else {
    fail(word.line, "unknown directive '" + std::string(word.text) + "'");
  }
}

void Parser::target_directive() {
  do {
    const Token word = lexer_.expect_word();
    if (word.text.substr(0, 3) != "sm_") continue;  // "debug", "texmode_independent"
    const std::string_view digits = word.text.substr(3);
    std::from_chars(digits.data(), digits.data() + digits.size(), module_.target);
  } while (lexer_.accept(','));
}

void Parser::entry() {
  module_.entries.emplace_back();
  begin_body(module_.entries.back());
  const Token name = lexer_.expect_word();
  function_->name = std::string(name.text);
  function_->line = name.line;
  if (lexer_.accept('(')) entry_parameters();
  entry_attributes();
  if (!lexer_.accept(';')) body();
  resolve_labels();
  function_ = nullptr;
  scope_ = 0;
}

/// A scope of its own for what follows, below the module's.
void Parser::begin_body(Function& function) {
  function_ = &function;
  function_->first_variable = static_cast<int>(module_.variables.size());
  scopes_.resize(1);
  scopes_.emplace_back();
  scopes_.back().parent = 0;
  scope_ = 1;
  label_uses_.clear();
  target_lists_.clear();
  inlined_at_.clear();
  own_text_ = 0;
  cuda_line_ = 0;
}

void Parser::entry_parameters() {
  std::uint32_t offset = 0;
  while (!lexer_.accept(')')) {
    FunctionParameter made;
    unsigned element = 0;
    Token word = lexer_.expect_word();
    if (!word.is(".param"))
      fail(word.line, "expected .param, found '" + std::string(word.text) + "'");
    for (word = lexer_.expect_word(); word.text[0] == '.'; word = lexer_.expect_word()) {
      if (word.is(".align")) {
        made.alignment = alignment();
      } else if (word.is(".ptr") || word.is(".global") || word.is(".shared") || word.is(".const") ||
                 word.is(".local")) {
        // What a pointer points to, and how it is aligned, is a hint for the assembler.
        if (!word.is(".ptr") && lexer_.accept(".align")) lexer_.expect_integer();
      } else if (const auto type = find_type(without_dot(word))) {
        element = bytes_of(*type);
      } else {
        fail(word.line, "unknown '" + std::string(word.text) + "' in a parameter");
      }
    }
    made.name = std::string(word.text);
    std::uint64_t count = 1;
    while (lexer_.accept('[')) count = times_extent(count);
    made.alignment = std::max(made.alignment, element);
    if (count * element == 0) fail(word.line, "parameter '" + made.name + "' has no size");
    made.offset = offset = round_up(offset, made.alignment);
    if (offset + count * element > most_parameter_bytes)
      fail(word.line,
           "the parameters take more than " + std::to_string(most_parameter_bytes) + " bytes");
    made.bytes = static_cast<std::uint32_t>(count) * element;
    offset += made.bytes;
    function_->parameters.push_back(std::move(made));
    if (!lexer_.accept(',') && !lexer_.peek().is(')')) lexer_.expect(')');
  }
  function_->parameter_bytes = offset;
}

void Parser::entry_attributes() {
  while (lexer_.peek().kind == Token::Kind::word) {
    const Token word = lexer_.next();
    if (word.is(".pragma")) {
      lexer_.skip_past(';');
      continue;
    }
    const bool threads = word.is(".maxntid") || word.is(".reqntid");
    if (!threads && !word.is(".minnctapersm") && !word.is(".maxnctapersm") &&
        !word.is(".maxnreg")) {
      fail(word.line, "unknown kernel attribute '" + std::string(word.text) + "'");
    }
    std::uint64_t product = 1;
    do {
      product *= lexer_.expect_integer();
    } while (lexer_.accept(','));
    if (threads) function_->max_threads = static_cast<std::uint32_t>(product);
  }
}

void Parser::body() {
  lexer_.expect('{');
  int depth = 1;
  while (depth > 0) {
    const Token& token = lexer_.peek();
    if (lexer_.accept(';')) continue;
    if (lexer_.accept('{')) {
      ++depth;
      scopes_.emplace_back();
      scopes_.back().parent = scope_;
      scope_ = static_cast<int>(scopes_.size()) - 1;
    } else if (lexer_.accept('}')) {
      --depth;
      if (depth > 0) scope_ = scope().parent;
    } else if (token.kind == Token::Kind::word && token.text[0] == '.') {
      body_directive(lexer_.next());
    } else {
      statement();
    }
  }
}

void Parser::body_directive(const Token& word) {
  if (word.is(".reg")) {
    register_declaration();
  } else if (word.is(".shared")) {
    variable_declaration(Space::shared, false);
  } else if (word.is(".local")) {
    variable_declaration(Space::local, false);
  } else if (word.is(".global")) {
    variable_declaration(Space::global, false);
  } else if (word.is(".const")) {
    variable_declaration(Space::constant, false);
  } else if (word.is(".loc")) {
    location();
  } else if (word.is(".pragma")) {
    lexer_.skip_past(';');
  } else if (word.is(".branchtargets")) {
    branch_targets();
  } else if (word.is(".section")) {
    lexer_.skip_past('}');
  } else if (word.is(".param")) {
    variable_declaration(Space::parameter, false);
  } else if (word.is(".callprototype") || word.is(".calltargets")) {
    lexer_.skip_past(';');  // a call through a register finds its functions by what they take
  } else {
    fail(word.line, "unknown directive '" + std::string(word.text) + "'");
  }
}

void Parser::register_declaration() {
  const Token word = lexer_.expect_word();
  const auto type = find_type(without_dot(word));
  if (!type) fail(word.line, "unknown register type '" + std::string(word.text) + "'");
  do {
    const Token name = lexer_.expect_word();
    const std::string text(name.text);
    if (!lexer_.accept('<')) {
      scope().registers[text] = add_register(text, *type, name);
      continue;
    }
    RegisterRange range;
    range.first = static_cast<int>(function_->registers.size());
    const std::uint64_t count = lexer_.expect_integer();
    if (count > most_registers - function_->registers.size()) refuse_registers(name);
    range.count = static_cast<int>(count);
    lexer_.expect('>');
    for (int i = 0; i < range.count; ++i) add_register(text, *type, name);
    scope().ranges[text] = range;
  } while (lexer_.accept(','));
  lexer_.expect(';');
}

void Parser::refuse_registers(const Token& at) const {
  fail(at.line, "more than " + std::to_string(most_registers) + " registers are declared");
}

int Parser::add_register(const std::string& name, Type type, const Token& at) {
  if (function_->registers.size() >= most_registers) refuse_registers(at);
  const unsigned bytes = bytes_of(type);
  if (type == Type::f16x2 || type == Type::bf16x2 || bytes <= 8) {
    function_->registers.push_back(type == Type::pred ? RegisterClass::predicate
                                   : bytes == 8       ? RegisterClass::wide
                                                      : RegisterClass::narrow);
    function_->register_bytes.push_back(static_cast<std::uint8_t>(bytes));
    return static_cast<int>(function_->registers.size()) - 1;
  }
  fail(at.line, "register '" + name + "' has an unsupported type");
}

void Parser::branch_targets() {
  std::vector<int> uses;
  do {
    uses.push_back(label_use(lexer_.expect_word()));
  } while (lexer_.accept(','));
  lexer_.expect(';');
  if (last_label_ < 0) fail(lexer_.peek().line, ".branchtargets without a label");
  target_lists_[last_label_] = std::move(uses);
}

}  // namespace tilewright::emulator
