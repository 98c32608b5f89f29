// Which pipe an instruction occupies, for the counters, and what one mma may rely on because of the
// mma before it in the same block: the converted A operand, and checks of C that D passed.
#include <algorithm>

#include "emulator/decode.hpp"

namespace tilewright::emulator {
namespace {

bool has_space(const Form& form, Modifier space) { return form.has(space); }

bool on_shared_pipe(const Form& form) {
  switch (form.opcode) {
    case Opcode::ldmatrix:
    case Opcode::stmatrix:
    case Opcode::movmatrix:
    case Opcode::shfl: return true;
    case Opcode::ld:
    case Opcode::st:
    case Opcode::atom:
    case Opcode::red:
      return has_space(form, Modifier::shared) || has_space(form, Modifier::shared_cta);
    default: return false;
  }
}

std::uint64_t tensor_operations(const Form& form) {
  const std::uint64_t k = form.has(Modifier::m16n8k32)   ? 32
                          : form.has(Modifier::m16n8k16) ? 16
                          : form.has(Modifier::m16n8k8)  ? 8
                                                         : 4;
  return 2 * 16 * 8 * k;
}

std::uint32_t BlockCost::*pipe_of(const Form& form) {
  if (on_shared_pipe(form)) return &BlockCost::shared;
  switch (form.opcode) {
    case Opcode::mma: return &BlockCost::tensor;
    case Opcode::ex2:
    case Opcode::lg2:
    case Opcode::sin:
    case Opcode::cos:
    case Opcode::tanh:
    case Opcode::rcp:
    case Opcode::rsqrt:
    case Opcode::sqrt: return &BlockCost::mufu;
    case Opcode::add:
    case Opcode::sub:
    case Opcode::mul:
    case Opcode::fma:
      return is_real(form.last()) || form.opcode == Opcode::mul ? &BlockCost::fma : &BlockCost::alu;
    case Opcode::div: return is_real(form.last()) ? &BlockCost::mufu : &BlockCost::alu;
    case Opcode::mad: return &BlockCost::fma;
    case Opcode::ld:
    case Opcode::ldu:
      return has_space(form, Modifier::param) || has_space(form, Modifier::const_)
                 ? &BlockCost::alu
                 : &BlockCost::global;
    case Opcode::st:
    case Opcode::atom:
    case Opcode::red:
    case Opcode::prefetch:
    case Opcode::prefetchu: return &BlockCost::global;
    case Opcode::cp:
      return form.has(Modifier::ca) || form.has(Modifier::cg) ? &BlockCost::global
                                                              : &BlockCost::sync;
    case Opcode::bra:
    case Opcode::brx:
    case Opcode::ret:
    case Opcode::exit:
    case Opcode::trap:
    case Opcode::brkpt: return &BlockCost::control;
    case Opcode::bar:
    case Opcode::barrier:
    case Opcode::mbarrier:
    case Opcode::membar:
    case Opcode::fence:
    case Opcode::nanosleep:
    case Opcode::griddepcontrol: return &BlockCost::sync;
    default: return &BlockCost::alu;
  }
}

}  // namespace

void Decoder::count_cost(const Statement& statement) {
  BlockCost& cost = program_->costs.back();
  ++cost.instructions;
  ++(cost.*pipe_of(statement.form));
  if (statement.form.opcode == Opcode::mma) cost.tensor_ops += tensor_operations(statement.form);
}

// The conversion is kept per host thread, so nothing that lets another warp run may come between.
void Decoder::forget_matrix_a(const Statement& statement) {
  if (last_a_.empty()) return;
  const Opcode opcode = statement.form.opcode;
  if (opcode == Opcode::bar || opcode == Opcode::barrier || statement.guard >= 0) last_a_.clear();
  for (const int reg : uses_of(statement).writes) {
    if (std::find(last_a_.begin(), last_a_.end(), reg) != last_a_.end()) {
      last_a_.clear();
      return;
    }
  }
}

/// Which registers hold sums of products (or zero) for certain; copies are followed.
void Decoder::follow_sums(const Statement& statement) {
  const Form& form = statement.form;
  const bool waits = form.opcode == Opcode::bar || form.opcode == Opcode::barrier;
  if (waits || statement.guard >= 0) {  // what is guarded may have to gather lanes first
    sums_.clear();
    first_product_ = true;
  }
  bool sum = false;
  if (form.opcode == Opcode::mma) {
    sum = form.types[0] == Type::f32 && form.types[1] == Type::bf16;
  } else if (form.opcode == Opcode::mov && bytes_of(form.last()) == 4) {
    const Operand& from = statement.operands.back();
    sum = (from.kind == Operand::Kind::immediate && from.bits == 0) ||
          (from.kind == Operand::Kind::virtual_register && sums_.count(from.reg) != 0);
  }
  for (const int reg : uses_of(statement).writes) {
    if (sum && statement.guard < 0) {
      sums_.insert(reg);
    } else {
      sums_.erase(reg);
    }
  }
}

}  // namespace tilewright::emulator
