// `.func` and `call`: what a function takes and gives back, and who calls whom. The names of a
// module's functions are known from their first declaration on. ptx_inline.hpp puts the bodies
// where they are called.
#include <algorithm>

#include "emulator/ptx_parser.hpp"

namespace tilewright::emulator {

int Parser::find_function(std::string_view name) const {
  for (std::size_t k = 0; k < module_.functions.size(); ++k) {
    if (module_.functions[k].name == name) return static_cast<int>(k);
  }
  return -1;
}

/// After the opening parenthesis; a parameter's type may stand for an array of bytes.
std::vector<Formal> Parser::formal_list(std::vector<std::string>& names) {
  std::vector<Formal> list;
  while (!lexer_.accept(')')) {
    Formal made;
    Variable variable;
    Type type = Type::none;
    Token word = lexer_.expect_word();
    made.in_register = word.is(".reg");
    if (!made.in_register && !word.is(".param")) {
      fail(word.line, "expected .param or .reg, found '" + std::string(word.text) + "'");
    }
    for (word = lexer_.expect_word(); word.text[0] == '.'; word = lexer_.expect_word()) {
      if (word.is(".align")) {
        variable.alignment = alignment();
      } else if (const auto found = find_type(word.text.substr(1))) {
        type = *found;
      } else if (!word.is(".ptr") && !word.is(".global") && !word.is(".local") &&
                 !word.is(".shared") && !word.is(".const")) {
        fail(word.line, "unknown '" + std::string(word.text) + "' in a parameter");
      }
    }
    std::uint64_t count = 1;
    while (lexer_.accept('[')) count = times_extent(count);
    if (count > 65536) fail(word.line, "parameter '" + std::string(word.text) + "' is too large");
    made.bytes = bytes_of(type) * static_cast<std::uint32_t>(count);
    const std::string name(word.text);
    if (made.in_register) {
      made.reg = add_register(name, type, word);
      scope().registers[name] = made.reg;
    } else {
      if (made.bytes == 0) fail(word.line, "parameter '" + name + "' has no size");
      variable.name = name;
      variable.space = Space::local;
      variable.passed = true;
      variable.bytes = made.bytes;
      variable.alignment = std::max(variable.alignment, bytes_of(type));
      made.variable = function_->first_variable + static_cast<int>(function_->variables.size());
      scope().variables[name] = made.variable;
      function_->variables.push_back(std::move(variable));
    }
    names.push_back(name);
    list.push_back(made);
    if (!lexer_.accept(',') && !lexer_.peek().is(')')) lexer_.expect(')');
  }
  return list;
}

// .func [(results)] name [(arguments)] [attributes] ; or { body }
void Parser::function_directive() {
  Function made;
  begin_body(made);
  std::vector<std::string> names;
  if (lexer_.accept(".noreturn")) {}
  if (lexer_.accept('(')) made.results = formal_list(names);
  const Token name = lexer_.expect_word();
  made.name = std::string(name.text);
  made.line = name.line;
  if (lexer_.accept('(')) made.arguments = formal_list(names);
  while (lexer_.peek().kind == Token::Kind::word) {
    const Token word = lexer_.next();
    if (word.is(".pragma")) {
      lexer_.skip_past(';');
    } else if (!word.is(".noreturn") && !word.is(".unique")) {
      fail(word.line, "unknown function attribute '" + std::string(word.text) + "'");
    }
  }
  int index = find_function(made.name);
  if (index < 0) {
    // Known inside its own body, where a call of it is recursion.
    index = static_cast<int>(module_.functions.size());
    module_.functions.emplace_back().name = made.name;
    module_.functions.back().results = made.results;
    module_.functions.back().arguments = made.arguments;
  }
  if (!lexer_.accept(';')) {
    if (module_.functions[static_cast<std::size_t>(index)].has_body) {
      fail(name.line, "function '" + made.name + "' is defined twice");
    }
    made.has_body = true;
    body();
    resolve_labels();
  }
  function_ = nullptr;
  scope_ = 0;
  Function& known = module_.functions[static_cast<std::size_t>(index)];
  if (known.has_body) return;
  made.address_taken = known.address_taken;
  known = std::move(made);
}

// call[.uni] [(results),] name-or-register [, (arguments)] [, prototype or targets];
void Parser::call_statement(Statement& made) {
  const auto vector = [&] {
    Operand list;
    list.kind = Operand::Kind::vector;
    if (!lexer_.accept('(')) return list;
    while (!lexer_.accept(')')) {
      list.elements.push_back(operand());
      if (!lexer_.accept(',') && !lexer_.peek().is(')')) lexer_.expect(')');
    }
    return list;
  };
  Operand results = vector();
  if (!results.elements.empty()) lexer_.expect(',');
  const Token callee = lexer_.expect_word();
  made.text += " " + std::string(callee.text);
  Operand through;
  made.callee = find_function(callee.text);
  if (made.callee < 0) {
    through = name(callee);
    if (through.kind != Operand::Kind::virtual_register) {
      fail(callee.line, "'" + std::string(callee.text) + "' cannot be called");
    }
  }
  Operand arguments;
  arguments.kind = Operand::Kind::vector;
  if (lexer_.accept(',')) {
    if (lexer_.peek().is('(')) {
      arguments = vector();
      if (lexer_.accept(',')) lexer_.expect_word();
    } else {
      lexer_.expect_word();
    }
  }
  lexer_.expect(';');
  made.operands = {std::move(results), std::move(through), std::move(arguments)};
  last_label_ = -1;
}

}  // namespace tilewright::emulator
