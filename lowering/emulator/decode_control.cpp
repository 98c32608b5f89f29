// Branches, barriers, fences, exchanges between lanes, and mma.
#include <algorithm>

#include "emulator/decode.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator {
namespace {
using M = Modifier;
}  // namespace

bool Decoder::control_flow() {
  Instruction made;
  switch (now_->form.opcode) {
    case Opcode::bra:
    case Opcode::brx: branch_statement(); return true;
    case Opcode::ret:
    case Opcode::exit:
      allow({M::uni});
      emit(control::exit(), made);
      return true;
    case Opcode::trap:
    case Opcode::brkpt:
      made.flags = now_->form.opcode == Opcode::brkpt ? 1 : 0;
      emit(control::trap(), made);
      return true;
    case Opcode::bar:
    case Opcode::barrier: barrier_statement(); return true;
    case Opcode::membar:
    case Opcode::fence:
      allow({M::cta, M::gl, M::gpu, M::sys, M::cluster, M::sc, M::acq_rel, M::acquire, M::release});
      made.flags = has(M::cta) ? 0 : 1;
      program_->uses_order = true;
      emit(control::fence(), made);
      return true;
    case Opcode::nanosleep: emit(control::give_way(), made); return true;
    case Opcode::griddepcontrol:
    case Opcode::pmevent:
      allow({M::wait, M::launch_dependents});
      emit(control::nothing(), made);
      return true;
    default: return false;
  }
}

void Decoder::branch_statement() {
  allow({M::uni, M::idx});
  const BasicBlock& block = graph_.blocks()[static_cast<std::size_t>(block_)];
  Fixup fixup;
  fixup.index = static_cast<std::uint32_t>(program_->full.size());
  fixup.meeting = block.meeting;
  fixup.target = -1;
  Instruction made;
  if (now_->form.opcode == Opcode::brx) {
    expect_operands(2, 2);
    made.a = source(0, 4);
    fixup.index = static_cast<std::uint32_t>(program_->full.size());
    for (const int target : now_->targets) fixup.targets.push_back(graph_.block_of_label(target));
    emit(control::indexed_jump(), made);
  } else {
    expect_operands(1, 1);
    if (operand(0).kind != Operand::Kind::label) refuse("the target is not a label");
    fixup.target = graph_.block_of_label(operand(0).label);
    emit(now_->guard >= 0 ? control::branch() : control::jump(), made);
  }
  fixups_.push_back(std::move(fixup));
}

// bar.sync a [, b]; bar.arrive a, b; bar.red.op d, a [, b], p; bar.warp.sync mask.
void Decoder::barrier_statement() {
  allow({M::cta, M::sync, M::arrive, M::red, M::warp, M::aligned, M::and_, M::or_, M::popc});
  Instruction made;
  if (has(M::warp)) {
    expect_operands(1, 1);
    made.a = source(0, 4);
    emit(control::warp_barrier(), made);
    return;
  }
  if (!has(M::sync) && !has(M::arrive) && !has(M::red)) refuse();
  const std::size_t count = now_->operands.size();
  std::size_t first = 0, threads = 1, end = count;
  made.c = true_predicate;
  if (has(M::red)) {
    expect_operands(3, 4);
    first = 1;
    threads = 2;
    end = count - 1;
    made.c = predicate(operand(count - 1));
    const std::uint16_t operation = has(M::and_) ? 1 : has(M::or_) ? 2 : 3;
    made.flags =
        static_cast<std::uint16_t>((operation << 4) | (operand(count - 1).negated ? 2 : 0));
    made.d = has(M::popc) ? destination(operand(0), 4) : predicate(operand(0));
  } else {
    expect_operands(1, 2);
    if (has(M::arrive)) made.flags = 1;
  }
  made.a = source(first, 4);
  if (threads < end) {
    made.b = source(threads, 4);
    made.n = 1;
  } else if (has(M::arrive)) {
    refuse("bar.arrive needs a thread count");
  }
  emit(control::barrier(), made);
}

bool Decoder::warp_operation() {
  const Form& form = now_->form;
  Instruction made;
  std::size_t members = 0;
  switch (form.opcode) {
    case Opcode::mma:
      if (!general_matrix_multiply()) matrix_multiply();
      return true;
    case Opcode::activemask:
      allow({});
      made.d = destination(operand(0), 4);
      emit(variant_.shuffle(form), made);
      return true;
    case Opcode::shfl:
      allow({M::sync, M::up, M::down, M::bfly, M::idx});
      if (!has(M::sync)) refuse("only the .sync form");
      expect_operands(5, 5);
      made.a = source(1, 4);
      made.b = source(2, 4);
      made.c = source(3, 4);
      made.d = destination(operand(0), 4);
      made.e = predicate_pair(operand(0));
      members = 4;
      break;
    case Opcode::vote:
      allow({M::sync, M::ballot, M::any, M::all, M::uni});
      if (!has(M::sync)) refuse("only the .sync form");
      expect_operands(3, 3);
      made.a = predicate(operand(1));
      made.flags = operand(1).negated ? 1 : 0;
      made.d = has(M::ballot) ? destination(operand(0), 4) : predicate(operand(0));
      members = 2;
      break;
    case Opcode::match:
      allow({M::sync, M::any, M::all});
      expect_operands(3, 3);
      made.a = source(1, bytes_of(type()) == 8 ? 8 : 4);
      made.d = destination(operand(0), 4);
      made.e = predicate_pair(operand(0));
      made.flags = has(M::all) ? 1 : 0;
      members = 2;
      break;
    case Opcode::redux:
      allow({M::sync, M::add, M::min, M::max, M::and_, M::or_, M::xor_});
      expect_operands(3, 3);
      if (is_real(type())) refuse();
      made.a = source(1, 4);
      made.d = destination(operand(0), 4);
      made.n = has(M::add)    ? 0
               : has(M::min)  ? 1
               : has(M::max)  ? 2
               : has(M::and_) ? 3
               : has(M::or_)  ? 4
                              : 5;
      made.flags = is_signed(type()) ? 1 : 0;
      members = 2;
      break;
    case Opcode::elect:
      allow({M::sync});
      expect_operands(2, 2);
      made.d = destination(operand(0), 4);
      made.e = predicate_pair(operand(0));
      members = 1;
      break;
    default: return false;
  }
  made.list = list({source(members, 4)});
  emit(variant_.shuffle(form), made);
  return true;
}

void Decoder::matrix_multiply() {
  const Form& form = now_->form;
  allow({M::sync, M::aligned, M::m16n8k4, M::m16n8k8, M::m16n8k16, M::m16n8k32, M::row, M::col,
         M::satfinite});
  expect_operands(4, 4);
  if (form.type_count != 4 || !has(M::row) || !has(M::col)) refuse();
  const Handlers handlers = variant_.mma(form);
  if (!handlers) refuse();
  const unsigned k = has(M::m16n8k32) ? 32 : has(M::m16n8k16) ? 16 : has(M::m16n8k8) ? 8 : 4;
  const unsigned bits = 8 * bytes_of(form.types[1]);
  const std::size_t accumulators = form.types[0] == Type::f16 ? 2 : 4;
  const std::size_t expected[] = {accumulators, 16 * k * bits / 1024, 8 * k * bits / 1024,
                                  accumulators};
  std::vector<std::uint32_t> offsets;
  std::vector<int> a_registers;
  for (std::size_t which = 0; which < 4; ++which) {
    const std::vector<std::uint32_t> part = elements(operand(which), 4, which == 0);
    if (part.size() != expected[which]) {
      refuse("operand " + std::to_string(which + 1) + " needs " + std::to_string(expected[which]) +
             " registers");
    }
    offsets.insert(offsets.end(), part.begin(), part.end());
    if (which != 1) continue;
    for (const Operand& each : operand(1).elements) {
      if (each.kind == Operand::Kind::virtual_register) a_registers.push_back(each.reg);
    }
  }
  Instruction made;
  made.list = list(offsets);
  made.n = 1;
  made.flags = has(M::satfinite) ? 2 : 0;
  const bool reuse = now_->guard < 0 && !a_registers.empty() && a_registers == last_a_ &&
                     form.types[1] == last_a_type_;
  made.flags |= reuse ? 1 : 0;
  if (now_->guard < 0) {
    const bool sums = std::all_of(
        operand(3).elements.begin(), operand(3).elements.end(), [this](const Operand& each) {
          return each.kind == Operand::Kind::virtual_register && sums_.count(each.reg) != 0;
        });
    made.flags |= static_cast<std::uint16_t>((sums ? 4 : 0) | (first_product_ ? 8 : 0));
    first_product_ = false;
  }
  emit(handlers, made);
  if (reuse && handlers.both != nullptr) pair_with_previous(handlers, accumulators, offsets);
  // In the masked stream another warp may run between two mma, so nothing may be kept there.
  program_->masked.back().flags &= static_cast<std::uint16_t>(~5u);
  // Only the f32 forms of 16-bit types convert A in a way that can be kept.
  last_a_ = now_->guard < 0 && bits == 16 && form.types[0] == Type::f32 ? std::move(a_registers)
                                                                        : std::vector<int>{};
  last_a_type_ = form.types[1];
}

/// Two mma in a row with the same A run as one, unless the second reads what the first writes.
void Decoder::pair_with_previous(const Handlers& handlers, std::size_t accumulators,
                                 const std::vector<std::uint32_t>& offsets) {
  const std::size_t index = program_->full.size() - 1;
  if (index == 0) return;
  Instruction& previous = program_->full[index - 1];
  if (previous.run != handlers.full) return;
  const std::uint32_t *written = previous.list, *end = previous.list + accumulators;
  const bool reads =
      std::any_of(offsets.begin() + static_cast<std::ptrdiff_t>(accumulators), offsets.end(),
                  [=](std::uint32_t offset) { return std::find(written, end, offset) != end; });
  if (reads) return;
  previous.run = handlers.both;
  // Both may take B straight from the ldmatrix before them.
  if (index < 2 || last_load_ != index - 2 || handlers.loaded[0] == nullptr) return;
  Instruction& load = program_->full[index - 2];
  const std::size_t first_b = accumulators + 4;
  if (std::equal(load.list, load.list + 2, previous.list + first_b) &&
      std::equal(load.list + 2, load.list + 4, offsets.begin() + first_b)) {
    load.run = handlers.loaded[(load.flags & 2) != 0 ? 1 : 0];
    chain_with_previous(index - 2);
  }
}

/// Three joined instructions after three of the same kind: the rows of this load may be fetched
/// before the products of the former, unless these write its addresses.
void Decoder::chain_with_previous(std::size_t index) {
  if (index < 3) return;
  Instruction* former = &program_->full[index - 3];
  const Instruction& load = program_->full[index];
  if (former->run != load.run) return;
  for (const Instruction* product : {former + 1, former + 2}) {
    if (std::find(product->list, product->list + 4, load.a) != product->list + 4) return;
  }
  former->flags |= 4;
}

}  // namespace tilewright::emulator
