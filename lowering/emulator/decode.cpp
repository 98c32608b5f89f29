// The decoder's frame: blocks, operands, constants, scratch registers, branch targets, costs.
// Register file: wide slots (256 bytes), narrow slots (128), then constants, special registers and
// scratch, in the order they are first needed.
#include "emulator/decode.hpp"

#include <algorithm>
#include <bit>

#include "emulator/engine.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator {
namespace {

constexpr std::uint32_t narrow_bytes = 128, wide_bytes = 256;

}  // namespace

const std::uint32_t* OffsetLists::keep(const std::vector<std::uint32_t>& offsets) {
  const std::size_t count = offsets.size();
  if (used_ % line + count > line) used_ = (used_ + line - 1) / line * line;
  if (chunks_.empty() || used_ + count > room_) {
    const std::size_t lines = std::max<std::size_t>(256, (count + line - 1) / line);
    room_ = lines * line;
    chunks_.push_back(std::make_unique<Line[]>(lines));
    used_ = 0;
  }
  std::uint32_t* kept = chunks_.back()[0].at + used_;
  std::copy(offsets.begin(), offsets.end(), kept);
  used_ += count;
  return kept;
}

Decoder::Decoder(const ModuleText& module, const Function& function, const Layout& layout)
    : module_(module),
      function_(function),
      layout_(layout),
      graph_(function),
      allocation_(allocate_registers(function, graph_)),
      variant_(variant()),
      program_(std::make_shared<Program>()) {
  top_ = allocation_.wide * wide_bytes + allocation_.narrow * narrow_bytes;
  find_guesses();
  count_uses();
}

void Decoder::count_uses() {
  reads_.assign(function_.registers.size(), 0);
  writes_.assign(function_.registers.size(), 0);
  for (const Statement& statement : function_.body) {
    if (statement.label >= 0) continue;
    const Uses uses = uses_of(statement);
    for (const int reg : uses.reads) ++reads_[static_cast<std::size_t>(reg)];
    for (const int reg : uses.writes) ++writes_[static_cast<std::size_t>(reg)];
  }
}

/// Written by one statement and read by one.
bool Decoder::is_read_once(int reg) const {
  return reads_[static_cast<std::size_t>(reg)] == 1 && writes_[static_cast<std::size_t>(reg)] == 1;
}

std::shared_ptr<const Program> Decoder::decode() {
  const int count = static_cast<int>(graph_.blocks().size());
  for (block_ = 0; block_ < count; ++block_) {
    block_entry(block_);
    const BasicBlock& block = graph_.blocks()[static_cast<std::size_t>(block_)];
    for (std::size_t k = block.first; k < block.end; ++k) statement(function_.body[k]);
    const Instruction& entry = program_->full[entry_index_.back()];
    program_->full[entry.index].c = program_->masked[entry.index].c =
        program_->costs.back().instructions;
  }
  finish();
  return program_;
}

void Decoder::block_entry(int block) {
  last_a_.clear();
  sums_.clear();
  first_product_ = true;
  static const Statement none;
  const BasicBlock& range = graph_.blocks()[static_cast<std::size_t>(block)];
  now_ = range.first < range.end ? &function_.body[range.first] : &none;
  entry_index_.push_back(static_cast<std::uint32_t>(program_->full.size()));
  program_->costs.emplace_back();
  const Statement* first = now_;
  Statement at = none;
  at.line = first->line;
  at.cuda_line = first->cuda_line;
  now_ = &at;
  Instruction made;
  made.e = static_cast<std::uint32_t>(block);
  emit(control::enter(), made);
}

void Decoder::statement(const Statement& statement) {
  if (statement.label >= 0) return;
  now_ = &statement;
  allowed_ = {};
  after_.clear();
  scratch_used_[0] = scratch_used_[1] = 0;
  count_cost(statement);
  if (statement.folded) return;
  const bool known = packed_operation() || arithmetic() || conversion() || memory_access() ||
                     warp_operation() || control_flow() || mbarrier_statement() ||
                     system_function();
  if (!known) refuse();
  if (const auto extra = statement.form.modifiers.outside(allowed_)) {
    refuse("'." + std::string(spelling(*extra)) + "' is not supported here");
  }
  for (const Resize& resize : after_) emit_move(resize.move, resize.d, resize.a);
  forget_matrix_a(statement);
  follow_sums(statement);
}

void Decoder::finish() {
  static const Statement none;
  now_ = &none;
  emit(control::exit(), Instruction{});  // falling off the end leaves the kernel
  const auto entry = [&](int block) {
    return block < 0 || static_cast<std::size_t>(block) >= entry_index_.size()
               ? ~0u
               : entry_index_[static_cast<std::size_t>(block)];
  };
  for (const Fixup& fixup : fixups_) {
    for (auto* stream : {&program_->full, &program_->masked}) {
      Instruction& branch = (*stream)[fixup.index];
      branch.e = entry(fixup.target);
      branch.immediate = entry(fixup.meeting);
      if (fixup.targets.empty()) continue;
      std::vector<std::uint32_t> targets;
      for (const int target : fixup.targets) targets.push_back(entry(target));
      branch.n = static_cast<std::uint16_t>(targets.size());
      branch.list = list(targets);
    }
  }
  for (const int reg : allocation_.undefined) {
    const std::size_t index = static_cast<std::size_t>(reg);
    if (function_.registers[index] == RegisterClass::narrow) {
      program_->undefined_narrow.push_back(register_offset(reg));
    } else if (function_.registers[index] == RegisterClass::wide) {
      program_->undefined_wide.push_back(register_offset(reg));
    }
  }
  program_->register_bytes = std::max(top_, wide_bytes);
  program_->predicates = allocation_.predicates;
  program_->local_bytes = layout_.local_bytes;
  program_->dynamic_shared = layout_.dynamic_shared;
}

Instruction& Decoder::emit(Handlers handlers, const Instruction& made) {
  if (!handlers) refuse();
  Instruction copy = made;
  copy.index = static_cast<std::uint32_t>(program_->full.size());
  if (now_->guard >= 0) {
    copy.guard =
        2 * static_cast<std::uint32_t>(allocation_.slot[static_cast<std::size_t>(now_->guard)]) +
        (now_->guard_negated ? 1 : 0);
  }
  copy.run = copy.guard != 0 ? handlers.masked : handlers.full;
  program_->full.push_back(copy);
  if (copy.guard == 0) use_constant(handlers, program_->full.back());
  copy.run = handlers.masked;
  program_->masked.push_back(copy);
  program_->sites.push_back({now_->line, now_->cuda_line});
  program_->mnemonics.push_back(now_->text);
  return program_->full.back();
}

void Decoder::use_constant(const Handlers& handlers, Instruction& at) const {
  for (const auto& [run, offset] :
       {std::pair{handlers.constant_a, at.a}, {handlers.constant_b, at.b}}) {
    const auto found = constant_at_.find(offset);
    if (run == nullptr || found == constant_at_.end()) continue;
    at.run = run;
    at.immediate = found->second;
    return;
  }
}

void Decoder::emit_move(Move move, std::uint32_t d, std::uint32_t a, std::uint16_t flags) {
  Instruction made;
  made.d = d;
  made.a = a;
  made.flags = flags;
  emit(variant_.move(move), made);
}

const Operand& Decoder::operand(std::size_t k) const {
  if (k >= now_->operands.size()) refuse("operand " + std::to_string(k + 1) + " is missing");
  return now_->operands[k];
}

std::uint32_t Decoder::register_offset(int reg) const {
  const std::size_t index = static_cast<std::size_t>(reg);
  const std::uint32_t slot = static_cast<std::uint32_t>(allocation_.slot[index]);
  return function_.registers[index] == RegisterClass::wide
             ? slot * wide_bytes
             : allocation_.wide * wide_bytes + slot * narrow_bytes;
}

std::uint32_t Decoder::source(const Operand& operand, unsigned bytes, Type type) {
  switch (operand.kind) {
    case Operand::Kind::virtual_register: {
      const RegisterClass kind = function_.registers[static_cast<std::size_t>(operand.reg)];
      if (kind == RegisterClass::predicate) refuse("a predicate stands where a value is needed");
      const std::uint32_t offset = register_offset(operand.reg);
      if ((kind == RegisterClass::wide) == (bytes == 8)) return offset;
      if (bytes == 8) refuse("a 32-bit register stands where 64 bits are needed");
      const std::uint32_t narrow = scratch(4);
      emit_move(Move::narrow, narrow, offset);
      return narrow;
    }
    case Operand::Kind::immediate: {
      std::uint64_t bits = operand.bits;
      if (type == Type::f32 && operand.float_bytes == 8) {
        bits = std::bit_cast<std::uint32_t>(static_cast<float>(std::bit_cast<double>(bits)));
      } else if (type == Type::f64 && operand.float_bytes == 4) {
        bits = std::bit_cast<std::uint64_t>(
            static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits))));
      }
      return constant(bits, bytes);
    }
    case Operand::Kind::special: return special(operand.special, bytes);
    case Operand::Kind::variable:
    case Operand::Kind::parameter: return constant(variable_address(operand), bytes);
    default: refuse("an operand of this kind cannot be read here");
  }
}

std::uint32_t Decoder::destination(const Operand& operand, unsigned bytes, bool sign) {
  if (operand.kind == Operand::Kind::sink) return scratch(bytes);
  if (operand.kind != Operand::Kind::virtual_register) refuse("the destination is not a register");
  const RegisterClass kind = function_.registers[static_cast<std::size_t>(operand.reg)];
  if (kind == RegisterClass::predicate) refuse("the destination is a predicate");
  const std::uint32_t offset = register_offset(operand.reg);
  if ((kind == RegisterClass::wide) == (bytes == 8)) return offset;
  if (bytes == 8) refuse("the destination has only 32 bits");
  const std::uint32_t narrow = scratch(4);
  after_.push_back({sign ? Move::widen_signed : Move::widen_unsigned, offset, narrow});
  return narrow;
}

std::uint32_t Decoder::predicate(const Operand& operand) const {
  if (operand.kind == Operand::Kind::sink) return sink_predicate;
  if (operand.kind == Operand::Kind::immediate) {
    return operand.bits != 0 ? true_predicate : false_predicate;
  }
  if (operand.kind != Operand::Kind::virtual_register ||
      function_.registers[static_cast<std::size_t>(operand.reg)] != RegisterClass::predicate) {
    refuse("a predicate register is needed");
  }
  return static_cast<std::uint32_t>(allocation_.slot[static_cast<std::size_t>(operand.reg)]);
}

std::uint32_t Decoder::predicate_pair(const Operand& operand) const {
  if (operand.paired < 0) return sink_predicate;
  return static_cast<std::uint32_t>(allocation_.slot[static_cast<std::size_t>(operand.paired)]);
}

std::uint64_t Decoder::variable_address(const Operand& operand) const {
  const std::uint64_t offset = static_cast<std::uint64_t>(operand.offset);
  const bool parameter =
      operand.kind == Operand::Kind::parameter || operand.base == Operand::Base::parameter;
  const std::size_t index = static_cast<std::size_t>(operand.variable);
  if (parameter) return (parameter_window | function_.parameters[index].offset) + offset;
  const std::size_t first = static_cast<std::size_t>(function_.first_variable);
  if (index >= first && function_.variables[index - first].passed) {
    return (local_window | layout_.address[index]) + offset;
  }
  return layout_.address[index] + offset;
}

Decoder::Address Decoder::address(const Operand& operand) {
  if (operand.kind != Operand::Kind::address) refuse("an address in brackets is needed");
  if (operand.base == Operand::Base::virtual_register) {
    const RegisterClass kind = function_.registers[static_cast<std::size_t>(operand.reg)];
    if (kind == RegisterClass::predicate) refuse("a predicate is not an address");
    return {register_offset(operand.reg), kind == RegisterClass::narrow, operand.offset};
  }
  if (operand.base == Operand::Base::number) {
    return {constant(static_cast<std::uint64_t>(operand.offset), 8), false, 0};
  }
  return {constant(variable_address(operand), 8), false, 0};
}

std::vector<std::uint32_t> Decoder::elements(const Operand& operand, unsigned bytes, bool written,
                                             bool sign) {
  const auto one = [&](const Operand& each) {
    return written ? destination(each, bytes, sign) : source(each, bytes);
  };
  std::vector<std::uint32_t> offsets;
  if (operand.kind != Operand::Kind::vector) {
    offsets.push_back(one(operand));
  } else {
    for (const Operand& each : operand.elements) offsets.push_back(one(each));
  }
  return offsets;
}

const std::uint32_t* Decoder::list(const std::vector<std::uint32_t>& offsets) {
  return program_->lists.keep(offsets);
}

std::uint32_t Decoder::constant(std::uint64_t bits, unsigned bytes) {
  if (bytes != 8) bits &= 0xffffffffu;
  const auto [found, added] = constants_.try_emplace({bits, bytes == 8 ? 8 : 4}, top_);
  if (added) {
    program_->constants.push_back({top_, bytes == 8, bits});
    constant_at_[top_] = bits;
    top_ += bytes == 8 ? wide_bytes : narrow_bytes;
  }
  return found->second;
}

std::uint32_t Decoder::special(SpecialRegister which, unsigned bytes) {
  const auto [found, added] = specials_.try_emplace({which, bytes == 8 ? 8 : 4}, top_);
  if (added) {
    program_->specials.push_back({top_, bytes == 8, which});
    top_ += bytes == 8 ? wide_bytes : narrow_bytes;
  }
  return found->second;
}

std::uint32_t Decoder::scratch(unsigned bytes) {
  const std::size_t kind = bytes == 8 ? 1 : 0;
  if (scratch_used_[kind] == scratch_[kind].size()) {
    scratch_[kind].push_back(top_);
    top_ += bytes == 8 ? wide_bytes : narrow_bytes;
  }
  return scratch_[kind][scratch_used_[kind]++];
}

void Decoder::allow(Modifiers modifiers) {
  allowed_ = {};
  allow_more(modifiers);
}

void Decoder::allow_more(Modifiers modifiers) {
  for (const Modifier modifier : modifiers) allowed_.insert(modifier);
}

void Decoder::expect_operands(std::size_t least, std::size_t most) {
  const std::size_t count = now_->operands.size();
  if (count < least || count > most) refuse(std::to_string(count) + " operands");
}

void Decoder::refuse(const std::string& why) const {
  throw PtxError(static_cast<int>(now_->line),
                 "unsupported instruction '" + now_->text + "'" + (why.empty() ? "" : ": " + why));
}

}  // namespace tilewright::emulator
