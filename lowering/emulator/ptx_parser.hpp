// PTX text -> ModuleText, in one pass with names resolved as they appear (labels at the function's
// end, because branches look ahead). Scopes matter: `{ }` inside inline assembly has private
// registers and labels. Directives are in ptx_parser.cpp, instructions in ptx_statement.cpp.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "emulator/ptx_ir.hpp"
#include "emulator/ptx_lexer.hpp"

namespace tilewright::emulator {

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}
  /// The whole module; throws PtxError with line and text for anything it does not know.
  ModuleText parse();

 private:
  struct RegisterRange {
    int first = 0, count = 0;
  };
  struct Scope {
    int parent = -1;
    std::unordered_map<std::string, int> registers;
    std::unordered_map<std::string, RegisterRange> ranges;  ///< "%r" of `%r<951>`
    std::unordered_map<std::string, int> variables;
    std::unordered_map<std::string, int> labels;
  };
  struct LabelUse {
    std::string name;
    int scope = 0;
    std::uint32_t line = 0;
  };
  using Place = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>;  ///< file, line, column

  // Directives.
  void module_directive(const Token& word);
  void target_directive();
  // Variables: ptx_variables.cpp.
  void variable_declaration(Space space, bool external);
  void declare_variable(Variable made, const std::string& name, unsigned element,
                        std::uint64_t count, bool external);
  std::uint32_t alignment();
  std::uint64_t times_extent(std::uint64_t count);
  void initializer(Variable& variable, unsigned element_bytes);
  void initializer_value(Variable& variable, unsigned element_bytes, std::uint64_t& at);
  // Functions and calls: ptx_functions.cpp.
  void function_directive();
  std::vector<Formal> formal_list(std::vector<std::string>& names);
  void call_statement(Statement& made);
  int find_function(std::string_view name) const;
  void entry();
  void begin_body(Function& function);
  void entry_parameters();
  void entry_attributes();
  void body();
  void body_directive(const Token& word);
  void register_declaration();
  void location();
  void branch_targets();

  // Instructions.
  void statement();
  void check_branch(const Statement& made) const;
  void label_definition(const Token& word);
  void mnemonic(const Token& word, Statement& made);
  Operand operand();
  Operand number();
  Operand address();
  Operand name(const Token& word);
  Operand label_operand();
  int add_register(const std::string& name, Type type, const Token& at);
  [[noreturn]] void refuse_registers(const Token& at) const;
  int find_register(std::string_view name) const;
  int find_variable(const std::string& name) const;
  int find_parameter(const std::string& name) const;
  int label_use(const Token& word);
  void resolve_labels();
  std::uint32_t cuda_line(Place place) const;

  [[noreturn]] void fail(std::uint32_t line, const std::string& message) const;
  Scope& scope() { return scopes_[static_cast<std::size_t>(scope_)]; }

  /// Of one function; liveness takes a bit a block for each.
  static constexpr std::size_t most_registers = 200'000;

  Lexer lexer_;
  ModuleText module_;
  Function* function_ = nullptr;
  std::vector<Scope> scopes_;
  int scope_ = 0;
  std::vector<LabelUse> label_uses_;              ///< operand.label indexes this until resolved
  std::map<int, std::vector<int>> target_lists_;  ///< label of `.branchtargets` -> label uses
  int last_label_ = -1;
  std::map<Place, Place> inlined_at_;
  std::uint64_t own_text_ = 0;  ///< the line its kernel begins at; 0: no .loc yet
  std::uint32_t cuda_line_ = 0;
};

}  // namespace tilewright::emulator
