// Statements -> instructions. The decoder walks basic blocks, turns operands into register-file
// offsets and picks handlers; anything it does not fully understand is a PtxError. Instruction
// families are in decode_arithmetic.cpp, decode_convert.cpp, decode_memory.cpp, decode_control.cpp.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "emulator/cfg.hpp"
#include "emulator/instruction.hpp"
#include "emulator/ops/variant.hpp"
#include "emulator/ptx_ir.hpp"
#include "emulator/regalloc.hpp"

namespace tilewright::emulator {

/// Where a kernel's variables lie: an address, a window offset or an offset in local memory.
struct Layout {
  std::vector<std::uint64_t> address;  ///< by variable index
  std::uint32_t shared_end = 0;        ///< window offset after static shared memory
  std::uint32_t dynamic_shared = 0;    ///< window offset of dynamic shared memory
  std::uint32_t local_bytes = 0;
};

/// `global_addresses` are those of the module's variables. Only shared variables that the function
/// mentions take space in it.
Layout lay_out(const ModuleText& module, const Function& function,
               const std::vector<std::uint64_t>& global_addresses);

class Decoder {
 public:
  Decoder(const ModuleText& module, const Function& function, const Layout& layout);
  std::shared_ptr<const Program> decode();
  std::uint32_t register_slots() const { return allocation_.narrow + 2 * allocation_.wide; }

 private:
  using Modifiers = std::initializer_list<Modifier>;

  // decode.cpp
  void statement(const Statement& statement);
  void block_entry(int block);
  void finish();
  void count_cost(const Statement& statement);
  void count_uses();
  bool is_read_once(int reg) const;
  void forget_matrix_a(const Statement& statement);
  void follow_sums(const Statement& statement);

  // Families; each returns false for opcodes of another one.
  bool arithmetic();
  bool conversion();
  bool memory_access();
  bool control_flow();
  bool warp_operation();
  bool mbarrier_statement();  // decode_mbarrier.cpp
  bool system_function();     // decode_system.cpp
  bool packed_operation();    // decode_packed.cpp

  // decode_arithmetic.cpp
  void plain(Handlers handlers, std::size_t sources);
  void integer_arithmetic();
  void real_arithmetic();
  void half_arithmetic();
  void bit_operation();
  void shift_like();
  // decode_convert.cpp
  void move_statement();
  void pack_or_unpack();
  void convert_statement();
  std::uint32_t converted(std::uint32_t from, Type to, Type source, const Form& form, bool last);
  void address_conversion();
  void window_test();
  void compare_statement();
  void set_statement();
  std::uint32_t half_flags(Type type) const;
  // decode_memory.cpp
  void load_or_store();
  void parameter_load();
  void matrix_access();
  void atomic();
  void async_copy();
  // decode_order.cpp
  static bool is_strong(const Form& form);
  static std::uint16_t order_flags(const Form& form);
  void strong_access(Instruction made, bool store, bool shared, bool narrow);
  void find_guesses();
  // decode_control.cpp
  void barrier_statement();
  void branch_statement();
  void matrix_multiply();
  void pair_with_previous(const Handlers& handlers, std::size_t accumulators,
                          const std::vector<std::uint32_t>& offsets);
  void chain_with_previous(std::size_t index);
  bool general_matrix_multiply();  // decode_matrix.cpp
  // decode_packed.cpp
  void pack_conversion();
  void fp8_conversion();

  // Operands. `bytes` is 8 for a wide slot and 4 for everything smaller.
  struct Address {
    std::uint32_t offset = 0;  ///< register
    bool narrow = false;       ///< 32-bit register
    std::int64_t displacement = 0;
  };
  const Operand& operand(std::size_t k) const;
  std::uint32_t source(const Operand& operand, unsigned bytes, Type type = Type::none);
  std::uint32_t source(std::size_t k, unsigned bytes, Type type = Type::none) {
    return source(operand(k), bytes, type);
  }
  std::uint32_t destination(const Operand& operand, unsigned bytes, bool sign = false);
  std::uint32_t predicate(const Operand& operand) const;
  std::uint32_t predicate_pair(const Operand& operand) const;
  Address address(const Operand& operand);
  std::uint64_t variable_address(const Operand& operand) const;
  std::vector<std::uint32_t> elements(const Operand& operand, unsigned bytes, bool written,
                                      bool sign = false);
  const std::uint32_t* list(const std::vector<std::uint32_t>& offsets);
  std::uint32_t constant(std::uint64_t bits, unsigned bytes);
  std::uint32_t special(SpecialRegister which, unsigned bytes);
  std::uint32_t scratch(unsigned bytes);
  std::uint32_t register_offset(int reg) const;

  Instruction& emit(Handlers handlers, const Instruction& made);
  /// A handler that finds its constant operand in the instruction, where there is one.
  void use_constant(const Handlers& handlers, Instruction& at) const;
  void emit_move(Move move, std::uint32_t d, std::uint32_t a, std::uint16_t flags = 0);
  void emit_rounding(const Form& form, bool begin);
  void emit_saturation(const Form& form, std::uint32_t d);

  void allow(Modifiers modifiers);
  void allow_more(Modifiers modifiers);
  void expect_operands(std::size_t least, std::size_t most);
  bool has(Modifier modifier) const { return now_->form.has(modifier); }
  Type type() const { return now_->form.last(); }
  [[noreturn]] void refuse(const std::string& why = "") const;

  const ModuleText& module_;
  const Function& function_;
  const Layout& layout_;
  FlowGraph graph_;
  Allocation allocation_;
  const Variant& variant_;
  std::shared_ptr<Program> program_;

  const Statement* now_ = nullptr;
  ModifierSet allowed_;
  struct Resize {
    Move move;
    std::uint32_t d, a;
  };
  std::vector<Resize> after_;  ///< widenings to emit once the statement is done
  std::map<std::pair<std::uint64_t, unsigned>, std::uint32_t> constants_;
  std::map<std::uint32_t, std::uint64_t> constant_at_;  ///< by register-file offset
  std::map<std::pair<SpecialRegister, unsigned>, std::uint32_t> specials_;
  std::vector<std::uint32_t> scratch_[2];  ///< narrow, wide
  std::size_t scratch_used_[2] = {0, 0};
  std::uint32_t top_ = 0;  ///< end of the register file so far
  std::uint32_t label_index_base_ = 0;
  std::vector<std::uint32_t> entry_index_;  ///< instruction index of every block
  struct Fixup {
    std::uint32_t index;
    int target, meeting;  ///< blocks, -1: none
    std::vector<int> targets;
  };
  std::vector<Fixup> fixups_;
  int block_ = 0;
  std::vector<unsigned> reads_, writes_;  ///< by register: how many statements read and write it
  std::uint32_t last_load_ = ~0u;  ///< the last ldmatrix.x4 whose registers are read once each
  std::vector<int> last_a_;        ///< A registers of the last mma of this block
  Type last_a_type_ = Type::none;
  std::set<const Statement*> guesses_;  ///< loads that only feed a compare-and-swap
  std::set<int> sums_;  ///< registers with zero or a sum of an earlier bf16 mma of this block
  bool first_product_ = true;  ///< no mma yet that nothing can interrupt since
};

}  // namespace tilewright::emulator
