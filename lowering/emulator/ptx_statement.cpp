// Instructions: guard, mnemonic split into modifiers and types, operands, and labels.
// Names are looked up from the innermost scope outwards; labels when the function has been read.
// `.loc` is here too: it says which line of CUDA the instructions after it come from.
#include <cstdlib>

#include "emulator/engine.hpp"
#include "emulator/ptx_parser.hpp"

namespace tilewright::emulator {

void Parser::statement() {
  Statement made;
  made.cuda_line = cuda_line_;
  if (lexer_.accept('@')) {
    made.guard_negated = lexer_.accept('!');
    const Token guard = lexer_.expect_word();
    made.guard = find_register(guard.text);
    if (made.guard < 0 ||
        function_->registers[static_cast<std::size_t>(made.guard)] != RegisterClass::predicate) {
      fail(guard.line, "guard '" + std::string(guard.text) + "' is not a predicate register");
    }
  }
  const Token word = lexer_.expect_word();
  made.line = word.line;
  if (made.guard < 0 && lexer_.accept(':')) {
    label_definition(word);
    return;
  }
  mnemonic(word, made);
  if (made.form.opcode == Opcode::call) {
    call_statement(made);
    function_->body.push_back(std::move(made));
    return;
  }
  const bool branches = made.form.opcode == Opcode::bra || made.form.opcode == Opcode::brx;
  if (!lexer_.peek().is(';')) {
    do {
      const bool label = branches && lexer_.peek().kind == Token::Kind::word &&
                         find_register(lexer_.peek().text) < 0;
      made.operands.push_back(label ? label_operand() : operand());
    } while (lexer_.accept(','));
  }
  lexer_.expect(';');
  if (branches) check_branch(made);
  last_label_ = -1;
  function_->body.push_back(std::move(made));
}

/// bra label; brx.idx register, list; the flow graph relies on it.
void Parser::check_branch(const Statement& made) const {
  const bool indexed = made.form.opcode == Opcode::brx;
  const std::size_t wanted = indexed ? 2 : 1;
  if (made.operands.size() != wanted || made.operands.back().kind != Operand::Kind::label)
    fail(made.line, "'" + made.text + "' takes " + (indexed ? "an index and " : "") + "a label");
}

void Parser::label_definition(const Token& word) {
  const std::string name(word.text);
  if (!scope().labels.emplace(name, function_->labels).second) {
    fail(word.line, "label '" + name + "' is defined twice");
  }
  Statement made;
  made.label = last_label_ = function_->labels++;
  made.line = word.line;
  made.cuda_line = cuda_line_;
  function_->body.push_back(std::move(made));
}

void Parser::mnemonic(const Token& word, Statement& made) {
  made.text = std::string(word.text);
  std::string_view rest = word.text;
  const auto take = [&] {
    const std::size_t dot = rest.find('.');
    const std::string_view piece = rest.substr(0, dot);
    rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
    return piece;
  };
  const std::string_view base = take();
  const auto opcode = find_opcode(base);
  if (!opcode) fail(word.line, "unknown instruction '" + made.text + "'");
  made.form.opcode = *opcode;
  while (!rest.empty()) {
    const std::string_view piece = take();
    if (const auto type = find_type(piece)) {
      if (made.form.type_count == 4) fail(word.line, "too many types in '" + made.text + "'");
      made.form.types[made.form.type_count++] = *type;
    } else if (const auto modifier = find_modifier(piece)) {
      made.form.modifiers.insert(*modifier);
    } else {
      fail(word.line, "unknown modifier '." + std::string(piece) + "' in '" + made.text + "'");
    }
  }
}

Operand Parser::number() {
  Operand made;
  made.kind = Operand::Kind::immediate;
  const bool negative = lexer_.accept('-');
  if (lexer_.peek().kind != Token::Kind::number) lexer_.expect_integer();  // throws
  const Token token = lexer_.next();
  made.bits = token.bits;
  made.float_bytes = token.float_bytes;
  if (negative) {
    if (token.float_bytes == 0) {
      made.bits = 0 - made.bits;
    } else {
      made.bits ^= std::uint64_t{1} << (8 * token.float_bytes - 1);
    }
  }
  return made;
}

Operand Parser::operand() {
  const Token token = lexer_.peek();
  if (token.kind == Token::Kind::number || token.is('-')) return number();
  if (lexer_.accept('[')) return address();
  if (lexer_.accept('{')) {
    Operand made;
    made.kind = Operand::Kind::vector;
    do {
      if (lexer_.peek().is('{')) fail(token.line, "a vector inside a vector");
      made.elements.push_back(operand());
    } while (lexer_.accept(','));
    lexer_.expect('}');
    return made;
  }
  if (lexer_.accept('!')) {
    if (lexer_.peek().is('!') || lexer_.peek().is('{')) lexer_.expect_word();  // throws
    Operand made = operand();
    made.negated = true;
    return made;
  }
  Operand made = name(lexer_.expect_word());
  if (lexer_.accept('|')) {
    const Operand second = name(lexer_.expect_word());
    made.has_pair = true;
    made.paired = second.kind == Operand::Kind::virtual_register ? second.reg : -1;
  } else if (made.kind == Operand::Kind::variable || made.kind == Operand::Kind::parameter) {
    while (lexer_.peek().is('+') || lexer_.peek().is('-')) {
      lexer_.accept('+');
      made.offset += static_cast<std::int64_t>(lexer_.expect_integer());
    }
  }
  return made;
}

Operand Parser::address() {
  Operand made;
  made.kind = Operand::Kind::address;
  if (lexer_.peek().kind == Token::Kind::word) {
    const Token word = lexer_.next();
    const Operand base = name(word);
    made.reg = base.reg;
    made.variable = base.variable;
    switch (base.kind) {
      case Operand::Kind::virtual_register: made.base = Operand::Base::virtual_register; break;
      case Operand::Kind::variable: made.base = Operand::Base::variable; break;
      case Operand::Kind::parameter: made.base = Operand::Base::parameter; break;
      default: fail(word.line, "'" + std::string(word.text) + "' cannot be an address");
    }
  } else {
    made.offset = static_cast<std::int64_t>(lexer_.expect_integer());
  }
  while (lexer_.peek().is('+') || lexer_.peek().is('-')) {
    lexer_.accept('+');
    made.offset += static_cast<std::int64_t>(lexer_.expect_integer());
  }
  lexer_.expect(']');
  return made;
}

Operand Parser::name(const Token& word) {
  Operand made;
  const std::string text(word.text);
  if (text == "_") {
    made.kind = Operand::Kind::sink;
    return made;
  }
  if (made.reg = find_register(text); made.reg >= 0) {
    made.kind = Operand::Kind::virtual_register;
    return made;
  }
  if (const auto special = find_special(text)) {
    made.kind = Operand::Kind::special;
    made.special = *special;
    return made;
  }
  if (made.variable = find_variable(text); made.variable >= 0) {
    made.kind = Operand::Kind::variable;
    return made;
  }
  if (made.variable = find_parameter(text); made.variable >= 0) {
    made.kind = Operand::Kind::parameter;
    return made;
  }
  if (const int function = find_function(text); function >= 0) {
    module_.functions[static_cast<std::size_t>(function)].address_taken = true;
    made.kind = Operand::Kind::immediate;
    made.bits = function_address(static_cast<std::size_t>(function));
    return made;
  }
  fail(word.line, "'" + text + "' is not declared");
}

Operand Parser::label_operand() {
  Operand made;
  made.kind = Operand::Kind::label;
  made.label = label_use(lexer_.expect_word());
  return made;
}

int Parser::label_use(const Token& word) {
  label_uses_.push_back({std::string(word.text), scope_, word.line});
  return static_cast<int>(label_uses_.size()) - 1;
}

int Parser::find_register(std::string_view name) const {
  std::size_t digits = name.size();
  while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9') --digits;
  const std::string text(name), prefix(name.substr(0, digits));
  // At most six digits, so that atoi below cannot overflow; no register file is larger.
  const bool indexed = digits > 0 && digits < name.size() && name.size() - digits <= 6 &&
                       (name[digits] != '0' || name.size() - digits == 1);
  const int index = indexed ? std::atoi(text.c_str() + digits) : -1;
  for (int at = scope_; at >= 0; at = scopes_[static_cast<std::size_t>(at)].parent) {
    const Scope& here = scopes_[static_cast<std::size_t>(at)];
    if (const auto found = here.registers.find(text); found != here.registers.end()) {
      return found->second;
    }
    if (!indexed) continue;
    const auto range = here.ranges.find(prefix);
    if (range != here.ranges.end() && index < range->second.count) {
      return range->second.first + index;
    }
  }
  return -1;
}

int Parser::find_variable(const std::string& name) const {
  for (int at = scope_; at >= 0; at = scopes_[static_cast<std::size_t>(at)].parent) {
    const Scope& here = scopes_[static_cast<std::size_t>(at)];
    if (const auto found = here.variables.find(name); found != here.variables.end()) {
      return found->second;
    }
  }
  return -1;
}

int Parser::find_parameter(const std::string& name) const {
  if (function_ == nullptr) return -1;
  for (std::size_t i = 0; i < function_->parameters.size(); ++i) {
    if (function_->parameters[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

// Operands hold indices into label_uses_ until here; a name is sought outwards from its own scope.
void Parser::resolve_labels() {
  std::vector<int> resolved;
  resolved.reserve(label_uses_.size());
  for (const LabelUse& use : label_uses_) {
    int label = -1;
    for (int at = use.scope; at >= 0 && label < 0;
         at = scopes_[static_cast<std::size_t>(at)].parent) {
      const auto& labels = scopes_[static_cast<std::size_t>(at)].labels;
      if (const auto found = labels.find(use.name); found != labels.end()) label = found->second;
    }
    if (label < 0) fail(use.line, "label '" + use.name + "' is not defined");
    resolved.push_back(label);
  }
  for (Statement& made : function_->body) {
    for (Operand& operand : made.operands) {
      if (operand.kind != Operand::Kind::label) continue;
      operand.label = resolved[static_cast<std::size_t>(operand.label)];
      if (made.form.opcode != Opcode::brx) continue;
      const auto list = target_lists_.find(operand.label);
      if (list == target_lists_.end()) fail(made.line, "brx.idx needs a .branchtargets list");
      for (const int use : list->second) {
        made.targets.push_back(resolved[static_cast<std::size_t>(use)]);
      }
    }
  }
}

// .loc file line column [, function_name label, inlined_at file line column]
// The place that matters to a user is the innermost one of the kernel's own text: the chain is
// followed outwards, past functions that stand above the kernel, and no further than a lambda
// inside it.
void Parser::location() {
  const std::uint32_t line = lexer_.peek().line;
  const auto place = [&] {
    const std::uint64_t file = lexer_.expect_integer();
    const std::uint64_t row = lexer_.expect_integer();
    return Place{file, row, lexer_.expect_integer()};
  };
  Place at = place();
  if (lexer_.accept(',')) {
    while (!lexer_.peek().is("inlined_at")) {
      if (lexer_.peek().line != line || lexer_.peek().kind == Token::Kind::end)
        fail(line, ".loc without inlined_at");
      lexer_.next();
    }
    lexer_.next();
    inlined_at_[at] = place();
  } else {
    inlined_at_.erase(at);
  }
  if (own_text_ == 0) own_text_ = std::get<1>(at);  // a function's first .loc is its declaration
  cuda_line_ = cuda_line(at);
}

std::uint32_t Parser::cuda_line(Place place) const {
  for (int depth = 0; depth < 64; ++depth) {  // a cycle would be malformed debug information
    const auto outer = inlined_at_.find(place);
    if (outer == inlined_at_.end() || std::get<1>(place) >= own_text_) break;
    place = outer->second;
  }
  return static_cast<std::uint32_t>(std::get<1>(place));
}

}  // namespace tilewright::emulator
