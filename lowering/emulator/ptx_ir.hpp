// PTX after parsing: enumerations and indices, no strings left to compare.
// One `Statement` is one instruction with its modifiers as a bit set; registers, variables and
// labels are numbers. ptx_names.hpp holds the spellings, ptx_parser.hpp builds this, decode.hpp
// consumes it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/ptx_names.hpp"

namespace tilewright::emulator {

/// Storage class of a virtual register: a lane mask, or 32 lanes of four or eight bytes.
enum class RegisterClass : std::uint8_t { predicate, narrow, wide };

struct Operand {
  enum class Kind : std::uint8_t {
    none,
    virtual_register,  ///< `reg`
    immediate,         ///< `bits`; `float_bytes` says whether they are an f32 or f64 pattern
    address,           ///< `[base + offset]`, base a register, a variable, a parameter or a number
    vector,            ///< `{a, b, ...}`
    variable,          ///< the address of `variable`
    parameter,         ///< the address of kernel parameter `variable`
    special,           ///< `special`
    sink,              ///< `_`
    label,             ///< block label `label`
  };
  enum class Base : std::uint8_t { number, virtual_register, variable, parameter };

  Kind kind = Kind::none;
  Base base = Base::number;
  bool negated = false;          ///< `!%p`
  std::uint8_t float_bytes = 0;  ///< 0: integer immediate, 4: 0f..., 8: 0d... or decimal
  int reg = -1;
  int paired = -1;        ///< second destination of `%a|%p`
  bool has_pair = false;  ///< written with `|`, perhaps onto a sink
  int variable = -1;
  int label = -1;
  SpecialRegister special{};
  std::uint64_t bits = 0;
  std::int64_t offset = 0;
  std::vector<Operand> elements;
};

/// What selects a handler: opcode, modifiers and types in the order written.
struct Form {
  Opcode opcode{};
  ModifierSet modifiers;
  Type types[4] = {Type::none, Type::none, Type::none, Type::none};
  std::uint8_t type_count = 0;
  bool has(Modifier modifier) const { return modifiers.has(modifier); }
  Type last() const { return type_count == 0 ? Type::none : types[type_count - 1]; }
};

struct Statement {
  Form form;
  int guard = -1;  ///< predicate register, -1 unguarded
  bool guard_negated = false;
  int label = -1;       ///< a label definition when >= 0; everything else is then unused
  bool folded = false;  ///< done by the next statement (ptx_fold.hpp); counts, but does nothing
  std::uint32_t line = 0;
  std::uint32_t cuda_line = 0;
  std::vector<Operand> operands;
  std::vector<int> targets;  ///< labels of `brx.idx`
  /// Of `call`: the function called, -1 through a register. Operands are then the vector of
  /// results, the register (or none) and the vector of arguments.
  int callee = -1;
  std::string text;  ///< mnemonic as written, for errors only
};

/// A named piece of memory. Module variables come first, then a function's own.
struct Variable {
  std::string name;
  Space space = Space::generic;
  std::uint64_t bytes = 0;
  std::uint32_t alignment = 1;
  bool dynamic = false;  ///< `.extern .shared x[]`: starts where dynamic shared memory starts
  bool passed = false;   ///< a `.param` of a call: local memory, addressed through its window
  std::vector<std::byte> initial;
  struct Relocation {
    std::uint64_t at = 0;
    int variable = -1;
    std::int64_t addend = 0;
  };
  std::vector<Relocation> relocations;  ///< addresses of other variables inside `initial`
};

struct FunctionParameter {
  std::string name;
  std::uint32_t offset = 0, bytes = 0, alignment = 1;
};

/// What a `.func` takes or gives back: a variable in `.param` space, or a register.
struct Formal {
  std::uint32_t bytes = 0;
  int variable = -1, reg = -1;
  bool in_register = false;  ///< declared `.reg`; a function without a body has neither index
};

/// An `.entry`, or a `.func`, whose statements become part of every entry that calls it.
struct Function {
  std::string name;
  std::uint32_t line = 0;
  std::vector<FunctionParameter> parameters;
  std::uint32_t parameter_bytes = 0;
  std::uint32_t max_threads = 0;  ///< product of `.maxntid` / `.reqntid`, 0 when absent
  std::vector<RegisterClass> registers;
  std::vector<std::uint8_t> register_bytes;  ///< declared width: 1, 2, 4 or 8 (0 for predicates)
  int first_variable = 0;                    ///< indices below are the module's variables
  std::vector<Variable> variables;
  std::vector<Statement> body;
  int labels = 0;
  std::vector<Formal> results, arguments;  ///< of a `.func`
  bool has_body = false;
  bool address_taken = false;  ///< may be called through a register
};

/// What `mov` gives for the address of `.func` number `index`: in no memory, never zero.
constexpr std::uint64_t function_window = std::uint64_t{0x0f} << 56;
constexpr std::uint64_t function_address(std::size_t index) {
  return function_window + 16 * (index + 1);
}

struct ModuleText {
  int target = 0;  ///< 80, 90, ...
  std::vector<Variable> variables;
  std::vector<Function> entries;
  std::vector<Function> functions;  ///< every `.func`, defined or declared
};

}  // namespace tilewright::emulator
