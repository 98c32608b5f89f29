// Copying bodies (see ptx_inline.hpp). A copy has its own registers, labels and local variables;
// its shared variables are those of every other copy. Parameters in `.param` space are the caller's
// own variables under another name, because a function may not write what it was given.
#include "emulator/ptx_inline.hpp"

#include <algorithm>
#include <map>

#include "emulator/engine.hpp"

namespace tilewright::emulator {
namespace {

/// More than any program that is meant to be inlined; a tree of calls grows without bound.
constexpr std::size_t most_statements = 500'000, most_registers = 1'000'000;

Operand register_operand(int reg) {
  Operand made;
  made.kind = Operand::Kind::virtual_register;
  made.reg = reg;
  return made;
}

Operand variable_operand(int variable) {
  Operand made;
  made.kind = Operand::Kind::variable;
  made.variable = variable;
  return made;
}

Type bits_type(std::uint32_t bytes) {
  return bytes == 1 ? Type::b8 : bytes == 2 ? Type::b16 : bytes == 4 ? Type::b32 : Type::b64;
}

class Inliner {
 public:
  Inliner(const ModuleText& module, Function& entry)
      : module_(module), original_(entry), made_(entry) {}

  void run() {
    made_.body.clear();
    Frame frame;
    frame.of = &original_;
    copy(frame);
    original_ = std::move(made_);
  }

 private:
  /// One body being copied: how its numbers become the entry's.
  struct Frame {
    const Function* of = nullptr;
    int registers = 0, labels = 0;
    std::vector<int> variables;  ///< of the function's own; empty for the entry itself
    int end = -1;                ///< label behind the copy; -1 for the entry
    const Frame* caller = nullptr;
  };

  [[noreturn]] void refuse(const Statement& at, const std::string& why) const {
    throw PtxError(static_cast<int>(at.line), "'" + at.text + "': " + why);
  }

  int new_register(RegisterClass kind, unsigned bytes) {
    made_.registers.push_back(kind);
    made_.register_bytes.push_back(static_cast<std::uint8_t>(bytes));
    return static_cast<int>(made_.registers.size()) - 1;
  }

  int new_variable(Variable variable) {
    made_.variables.push_back(std::move(variable));
    return made_.first_variable + static_cast<int>(made_.variables.size()) - 1;
  }

  void put(Statement statement) {
    if (made_.body.size() >= most_statements) {
      refuse(statement, "the calls of '" + made_.name + "' expand to more than " +
                            std::to_string(most_statements) + " instructions");
    }
    made_.body.push_back(std::move(statement));
  }

  void put_label(const Statement& at, int label) {
    Statement made;
    made.label = label;
    made.line = at.line;
    made.cuda_line = at.cuda_line;
    put(made);
  }

  Statement like(const Statement& at, Opcode opcode) const {
    Statement made;
    made.line = at.line;
    made.cuda_line = at.cuda_line;
    made.text = at.text;
    made.form.opcode = opcode;
    return made;
  }

  void put_branch(const Statement& at, int label, int guard, bool negated) {
    Statement made = like(at, Opcode::bra);
    made.guard = guard;
    made.guard_negated = negated;
    Operand target;
    target.kind = Operand::Kind::label;
    target.label = label;
    made.operands.push_back(target);
    put(made);
  }

  /// ld.param or st.param of a whole parameter, or mov between registers.
  void put_transfer(const Statement& at, Opcode opcode, std::uint32_t bytes, Operand to,
                    Operand from) {
    Statement made = like(at, opcode);
    made.form.types[0] = bits_type(bytes);
    made.form.type_count = 1;
    Operand& place = opcode == Opcode::ld ? from : to;
    if (opcode != Opcode::mov) {
      made.form.modifiers.insert(Modifier::param);
      place.kind = Operand::Kind::address;
      place.base = Operand::Base::variable;
    }
    made.operands = {std::move(to), std::move(from)};
    put(made);
  }

  Operand moved(const Frame& frame, const Operand& operand) const {
    Operand made = operand;
    if (made.reg >= 0) made.reg += frame.registers;
    if (made.paired >= 0) made.paired += frame.registers;
    if (made.label >= 0) made.label += frame.labels;
    const bool parameter =
        made.kind == Operand::Kind::parameter || made.base == Operand::Base::parameter;
    if (made.variable >= frame.of->first_variable && !parameter && !frame.variables.empty()) {
      made.variable =
          frame.variables[static_cast<std::size_t>(made.variable - frame.of->first_variable)];
    }
    for (Operand& element : made.elements) element = moved(frame, element);
    return made;
  }

  void copy(const Frame& frame) {
    for (const Statement& statement : frame.of->body) {
      Statement made = statement;
      if (made.label >= 0) {
        made.label += frame.labels;
        put(std::move(made));
        continue;
      }
      if (made.guard >= 0) made.guard += frame.registers;
      for (Operand& operand : made.operands) operand = moved(frame, operand);
      for (int& target : made.targets) target += frame.labels;
      if (made.form.opcode == Opcode::call) {
        call(made, frame);
      } else if (made.form.opcode == Opcode::ret && frame.end >= 0) {
        put_branch(made, frame.end, made.guard, made.guard_negated);
      } else {
        put(std::move(made));
      }
    }
  }

  void call(Statement at, const Frame& caller) {
    const int after = made_.labels++;
    if (at.guard >= 0) {
      put_branch(at, after, at.guard, !at.guard_negated);
      at.guard = -1;
    }
    if (at.callee >= 0) {
      call_one(at, static_cast<std::size_t>(at.callee), caller);
    } else {
      call_through_register(at, after, caller);
    }
    put_label(at, after);
  }

  void call_through_register(const Statement& at, int after, const Frame& caller) {
    const auto fits = [&](const Function& function) {
      return function.address_taken && function.has_body &&
             function.results.size() == at.operands[0].elements.size() &&
             function.arguments.size() == at.operands[2].elements.size();
    };
    for (std::size_t k = 0; k < module_.functions.size(); ++k) {
      if (!fits(module_.functions[k])) continue;
      const int next = made_.labels++;
      const int differs = new_register(RegisterClass::predicate, 0);
      Statement compare = like(at, Opcode::setp);
      compare.form.modifiers.insert(Modifier::ne);
      compare.form.types[0] = Type::b64;
      compare.form.type_count = 1;
      Operand address;
      address.kind = Operand::Kind::immediate;
      address.bits = function_address(k);
      compare.operands = {register_operand(differs), at.operands[1], address};
      put(compare);
      put_branch(at, next, differs, false);
      call_one(at, k, caller);
      put_branch(at, after, -1, false);
      put_label(at, next);
    }
    put(like(at, Opcode::trap));  // the register holds the address of no such function
  }

  void call_one(const Statement& at, std::size_t index, const Frame& caller) {
    const Function& function = module_.functions[index];
    for (const Frame* frame = &caller; frame != nullptr; frame = frame->caller) {
      if (frame->of == &function)
        refuse(at, "recursion: '" + function.name + "' is called while it runs");
    }
    const std::vector<Operand>&results = at.operands[0].elements,
          &arguments = at.operands[2].elements;
    if (results.size() != function.results.size() ||
        arguments.size() != function.arguments.size()) {
      refuse(at, "'" + function.name + "' takes " + std::to_string(function.arguments.size()) +
                     " arguments and gives " + std::to_string(function.results.size()) +
                     " results");
    }
    const bool system = system_call(function.name) != SystemCall::none && !function.has_body;
    if (!function.has_body && !system)
      refuse(at, "function '" + function.name + "' is defined nowhere");

    if (made_.registers.size() + function.registers.size() > most_registers) {
      refuse(at, "the calls of '" + made_.name + "' expand to more than " +
                     std::to_string(most_registers) + " registers");
    }

    Frame frame;
    frame.of = &function;
    frame.caller = &caller;
    frame.registers = static_cast<int>(made_.registers.size());
    made_.registers.insert(made_.registers.end(), function.registers.begin(),
                           function.registers.end());
    made_.register_bytes.insert(made_.register_bytes.end(), function.register_bytes.begin(),
                                function.register_bytes.end());
    frame.labels = made_.labels;
    made_.labels += function.labels;
    frame.end = made_.labels++;
    frame.variables.assign(function.variables.size(), -1);
    std::vector<Operand> given, taken;
    for (std::size_t k = 0; k < arguments.size(); ++k)
      given.push_back(pass(at, function, function.arguments[k], arguments[k], frame, true));
    for (std::size_t k = 0; k < results.size(); ++k)
      taken.push_back(pass(at, function, function.results[k], results[k], frame, false));
    for (std::size_t k = 0; k < function.variables.size(); ++k) {
      if (frame.variables[k] < 0) frame.variables[k] = own_variable(index, k);
    }
    if (system) {
      Statement made = at;
      made.callee = static_cast<int>(index);
      made.operands[0].elements = std::move(taken);
      made.operands[1] = Operand{};
      made.operands[2].elements = std::move(given);
      put(std::move(made));
    } else {
      copy(frame);
    }
    put_label(at, frame.end);
    for (std::size_t k = 0; k < results.size(); ++k)
      take_result(at, function.results[k], results[k], frame);
  }

  int local_index(const Function& function, const Formal& formal) const {
    return formal.variable - function.first_variable;
  }

  /// Ties a formal to what the caller gives: the same variable, or a copy. Returns the variable.
  Operand pass(const Statement& at, const Function& function, const Formal& formal,
               const Operand& actual, Frame& frame, bool is_argument) {
    const bool variable = actual.kind == Operand::Kind::variable && actual.variable >= 0;
    if (formal.in_register) {
      const Operand to = register_operand(formal.reg + frame.registers);
      if (variable) refuse(at, "a .param variable stands where a register is declared");
      if (is_argument) put_transfer(at, Opcode::mov, formal.bytes, to, actual);
      return to;
    }
    int& place = frame.variables[static_cast<std::size_t>(local_index(function, formal))];
    if (variable) {
      const std::size_t index = static_cast<std::size_t>(actual.variable - made_.first_variable);
      const bool own = actual.variable >= made_.first_variable && made_.variables[index].passed;
      if (!own || actual.offset != 0) refuse(at, "an argument is neither a .param nor a register");
      if (made_.variables[index].bytes < formal.bytes) {
        refuse(at, "an argument of " + std::to_string(made_.variables[index].bytes) +
                       " bytes where '" + function.name + "' has " + std::to_string(formal.bytes));
      }
      place = actual.variable;
      return actual;
    }
    if (formal.bytes > 8) refuse(at, "an argument in a register has at most 8 bytes");
    place =
        new_variable(function.variables[static_cast<std::size_t>(local_index(function, formal))]);
    if (is_argument) put_transfer(at, Opcode::st, formal.bytes, variable_operand(place), actual);
    return variable_operand(place);
  }

  void take_result(const Statement& at, const Formal& formal, const Operand& actual,
                   const Frame& frame) {
    if (actual.kind == Operand::Kind::sink || actual.kind == Operand::Kind::variable) return;
    if (formal.in_register) {
      put_transfer(at, Opcode::mov, formal.bytes, actual,
                   register_operand(formal.reg + frame.registers));
      return;
    }
    const int place = frame.variables[static_cast<std::size_t>(local_index(*frame.of, formal))];
    put_transfer(at, Opcode::ld, formal.bytes, actual, variable_operand(place));
  }

  /// Shared memory is one for all copies; everything else is the copy's own.
  int own_variable(std::size_t function, std::size_t variable) {
    const Variable& declared = module_.functions[function].variables[variable];
    if (declared.space != Space::shared) return new_variable(declared);
    const auto [found, added] = shared_.try_emplace({function, variable}, -1);
    if (added) found->second = new_variable(declared);
    return found->second;
  }

  const ModuleText& module_;
  Function& original_;
  Function made_;
  std::map<std::pair<std::size_t, std::size_t>, int> shared_;
};

/// Every function sees all of the module's variables, so its own are numbered behind them.
void renumber(Function& function, int module_variables) {
  const int first = function.first_variable, shift = module_variables - first;
  if (shift == 0) return;
  const auto move = [&](auto&& self, Operand& operand) -> void {
    const bool parameter =
        operand.kind == Operand::Kind::parameter || operand.base == Operand::Base::parameter;
    if (!parameter && operand.variable >= first) operand.variable += shift;
    for (Operand& element : operand.elements) self(self, element);
  };
  for (Statement& statement : function.body) {
    for (Operand& operand : statement.operands) move(move, operand);
  }
  for (auto* formals : {&function.results, &function.arguments}) {
    for (Formal& formal : *formals) {
      if (formal.variable >= first) formal.variable += shift;
    }
  }
  function.first_variable = module_variables;
}

bool calls_anything(const Function& function) {
  return std::any_of(function.body.begin(), function.body.end(), [](const Statement& statement) {
    return statement.label < 0 && statement.form.opcode == Opcode::call;
  });
}

}  // namespace

SystemCall system_call(const std::string& name) {
  if (name == "vprintf") return SystemCall::print;
  if (name == "__assertfail") return SystemCall::assertion;
  if (name == "malloc") return SystemCall::allocate;
  if (name == "free") return SystemCall::release;
  return SystemCall::none;
}

void inline_calls(ModuleText& module) {
  const int variables = static_cast<int>(module.variables.size());
  for (Function& function : module.functions) renumber(function, variables);
  for (Function& entry : module.entries) {
    renumber(entry, variables);
    if (calls_anything(entry)) Inliner(module, entry).run();
  }
}

}  // namespace tilewright::emulator
