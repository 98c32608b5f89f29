// ld, st, atom, red, cp.async, ldmatrix and the like: space, width, address registers.
// Cache operators do not change what an access does here. What strong accesses order is in
// decode_order.cpp.
#include "emulator/decode.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator {
namespace {
using M = Modifier;

bool is_shared(const Form& form) { return form.has(M::shared) || form.has(M::shared_cta); }

}  // namespace

bool Decoder::memory_access() {
  switch (now_->form.opcode) {
    case Opcode::ld:
    case Opcode::ldu:
    case Opcode::st: load_or_store(); return true;
    case Opcode::atom:
    case Opcode::red: atomic(); return true;
    case Opcode::ldmatrix:
    case Opcode::stmatrix:
    case Opcode::movmatrix: matrix_access(); return true;
    case Opcode::cp: async_copy(); return true;
    case Opcode::prefetch:
    case Opcode::prefetchu:
    case Opcode::discard:
    case Opcode::applypriority:
      allow({M::global, M::local, M::level_l1, M::level_l2, M::l2_evict_last, M::l2_evict_normal});
      emit(control::nothing(), Instruction{});
      return true;
    case Opcode::createpolicy: {
      // The policy is an opaque number that only cache hints consume.
      allow({M::fractional, M::range, M::cvt, M::level_l2, M::global, M::l2_evict_first,
             M::l2_evict_last, M::l2_evict_normal, M::l2_evict_unchanged});
      emit_move(Move::copy_wide, destination(operand(0), 8), constant(0, 8));
      return true;
    }
    default: return false;
  }
}

void Decoder::load_or_store() {
  const Form& form = now_->form;
  allow({M::global,
         M::shared,
         M::shared_cta,
         M::local,
         M::param,
         M::param_entry,
         M::param_func,
         M::const_,
         M::v2,
         M::v4,
         M::ca,
         M::cg,
         M::cs,
         M::lu,
         M::cv,
         M::wb,
         M::wt,
         M::nc,
         M::volatile_,
         M::weak,
         M::relaxed,
         M::acquire,
         M::release,
         M::mmio,
         M::cta,
         M::gpu,
         M::sys,
         M::cluster,
         M::l1_evict_normal,
         M::l1_evict_unchanged,
         M::l1_evict_first,
         M::l1_evict_last,
         M::l1_no_allocate,
         M::l2_cache_hint,
         M::l2_64,
         M::l2_128,
         M::l2_256,
         M::unified});
  const bool store = form.opcode == Opcode::st;
  expect_operands(2, has(M::l2_cache_hint) ? 3 : 2);
  const Operand& where = operand(store ? 0 : 1);
  const Operand& data = operand(store ? 1 : 0);
  const unsigned bytes = bytes_of(type());
  if (bytes == 0 || form.type_count != 1) refuse();
  const std::size_t count = has(M::v4) ? 4 : has(M::v2) ? 2 : 1;
  const std::size_t given = data.kind == Operand::Kind::vector ? data.elements.size() : 1;
  if (given != count) refuse(std::to_string(given) + " registers for " + std::to_string(count));
  if (count * bytes > 16) refuse("an access has at most 16 bytes");

  MemoryForm access;
  access.store = store;
  access.bytes = bytes;
  access.sign = is_signed(type());
  const bool of_call = where.base == Operand::Base::variable;  // a call's argument or result
  if ((has(M::param) || has(M::param_func)) && of_call) {
    access.space = Space::local;
  } else if (has(M::param) || has(M::param_entry) || has(M::param_func)) {
    if (store) refuse("kernel parameters are read-only");
    access.space = Space::generic;  // a register holds an address with the parameter window
  } else if (is_shared(form)) {
    access.space = Space::shared;
  } else if (has(M::local)) {
    access.space = Space::local;
  } else if (has(M::global) || has(M::const_)) {
    access.space = Space::global;
  }
  const Address at = address(where);
  access.narrow_address = at.narrow;
  if (at.narrow && access.space != Space::shared && access.space != Space::local) {
    refuse("a 32-bit register cannot address this space");
  }
  Instruction made;
  made.a = at.offset;
  made.immediate = static_cast<std::uint64_t>(at.displacement);
  made.n = static_cast<std::uint16_t>(count);
  made.list = list(elements(data, bytes == 8 ? 8 : 4, !store, is_signed(type())));
  made.cache = program_->caches++;
  const bool addressable = access.space == Space::shared || access.space == Space::global ||
                           (access.space == Space::generic && !has(M::param));
  if (addressable && !has(M::const_) && (is_strong(form) || guesses_.count(now_) != 0)) {
    return strong_access(std::move(made), store, access.space == Space::shared, at.narrow);
  }
  emit(variant_.memory(access), made);
}

void Decoder::matrix_access() {
  const Form& form = now_->form;
  allow({M::sync, M::aligned, M::m8n8, M::x1, M::x2, M::x4, M::trans, M::shared, M::shared_cta});
  if (type() != Type::b16 || !has(M::m8n8)) refuse();
  Instruction made;
  if (form.opcode == Opcode::movmatrix) {
    expect_operands(2, 2);
    if (!has(M::trans)) refuse();
    made.a = source(1, 4);
    made.d = destination(operand(0), 4);
    emit(variant_.matrix(form, 1), made);
    return;
  }
  expect_operands(2, 2);
  const bool load = form.opcode == Opcode::ldmatrix;
  const unsigned count = has(M::x4) ? 4 : has(M::x2) ? 2 : has(M::x1) ? 1 : 0;
  std::vector<std::uint32_t> registers = elements(operand(load ? 0 : 1), 4, load);
  if (registers.size() != count) refuse("the vector must have as many registers as matrices");
  const Address at = address(operand(load ? 1 : 0));  // of a generic one the low half counts
  made.flags = static_cast<std::uint16_t>((at.narrow ? 0 : 1) | (has(M::trans) ? 2 : 0));
  made.a = at.offset;
  made.immediate = static_cast<std::uint64_t>(at.displacement);
  made.n = static_cast<std::uint16_t>(count);
  made.list = list(registers);
  emit(variant_.matrix(form, count), made);
  if (load && count == 4 && now_->guard < 0 && after_.empty()) {
    bool read_once = true;
    for (const Operand& each : operand(0).elements) {
      read_once &= each.kind == Operand::Kind::virtual_register && is_read_once(each.reg);
    }
    if (read_once) last_load_ = static_cast<std::uint32_t>(program_->full.size()) - 1;
  }
}

void Decoder::atomic() {
  using atomics::Operation;
  using atomics::Value;
  const Form& form = now_->form;
  const bool reduction = form.opcode == Opcode::red;
  allow({M::global,  M::shared, M::shared_cta, M::relaxed, M::acquire,      M::release,
         M::acq_rel, M::cta,    M::gpu,        M::sys,     M::cluster,      M::noftz,
         M::add,     M::min,    M::max,        M::inc,     M::dec,          M::exch,
         M::cas,     M::and_,   M::or_,        M::xor_,    M::l2_cache_hint});
  if (form.type_count != 1) refuse();
  const std::pair<M, Operation> operations[] = {
      {M::add, Operation::add},       {M::min, Operation::min},     {M::max, Operation::max},
      {M::exch, Operation::exchange}, {M::cas, Operation::compare}, {M::inc, Operation::increment},
      {M::dec, Operation::decrement}, {M::and_, Operation::and_},   {M::or_, Operation::or_},
      {M::xor_, Operation::xor_}};
  const std::pair<Type, Value> values[] = {
      {Type::u32, Value::u32},   {Type::b32, Value::u32},     {Type::s32, Value::s32},
      {Type::u64, Value::u64},   {Type::b64, Value::u64},     {Type::s64, Value::s64},
      {Type::f32, Value::f32},   {Type::f64, Value::f64},     {Type::f16, Value::f16},
      {Type::bf16, Value::bf16}, {Type::f16x2, Value::f16x2}, {Type::bf16x2, Value::bf16x2},
      {Type::b16, Value::b16},   {Type::u16, Value::b16}};
  Instruction made;
  bool known_operation = false, known_value = false;
  Operation operation = Operation::add;
  for (const auto& [modifier, each] : operations) {
    if (!has(modifier)) continue;
    operation = each;
    known_operation = true;
  }
  Value value = Value::u32;
  for (const auto& [word, each] : values) {
    if (word != type()) continue;
    value = each;
    known_value = true;
  }
  const bool real_value = is_real(type());
  const bool swaps = operation == Operation::compare;
  if (!known_operation || !known_value || (reduction && swaps)) refuse();
  if (real_value && operation != Operation::add && operation != Operation::exchange &&
      !(is_half(type()) && (operation == Operation::min || operation == Operation::max))) {
    refuse();
  }
  const std::size_t first = reduction ? 0 : 1, least = first + (swaps ? 3 : 2);
  expect_operands(least, has(M::l2_cache_hint) ? least + 1 : least);
  const unsigned bytes = bytes_of(type()) == 8 ? 8 : 4;
  const Address at = address(operand(first));
  if (at.narrow && !is_shared(form)) refuse("a 32-bit register cannot address this space");
  made.a = at.offset;
  made.immediate = static_cast<std::uint64_t>(at.displacement);
  made.b = source(first + 1, bytes, type());
  made.c = swaps ? source(first + 2, bytes, type()) : made.b;
  made.n = atomics::encode(operation, value);
  made.cache = program_->caches++;
  made.flags = static_cast<std::uint16_t>((is_shared(form) ? atomics::shared_space : 0) |
                                          (at.narrow ? atomics::narrow_address : 0));
  if (!reduction && operand(0).kind != Operand::Kind::sink) {
    made.flags |= atomics::returns_old;
    made.d = destination(operand(0), bytes, is_signed(type()));
  }
  // In global memory f32 sums flush subnormals; in shared memory they do not.
  if (value == Value::f32 && has(M::global)) made.flags |= atomics::flushes;
  const std::uint16_t order = order_flags(form);
  made.flags |= order;
  program_->uses_order |= order != 0;
  program_->waits_for_blocks |= !reduction && !is_shared(form);
  emit(atomics::apply(), made);
}

void Decoder::async_copy() {
  Instruction made;
  if (has(M::commit_group)) {
    allow({M::async, M::commit_group});
    expect_operands(0, 0);
    emit(asynchronous::commit(), made);
    return;
  }
  if (has(M::wait_group) || has(M::wait_all)) {
    allow({M::async, M::wait_group, M::wait_all});
    if (has(M::wait_all)) {
      made.flags = 1;
    } else {
      expect_operands(1, 1);
      if (operand(0).kind != Operand::Kind::immediate) refuse("the group count must be a number");
      made.n = static_cast<std::uint16_t>(operand(0).bits);
    }
    emit(asynchronous::wait(), made);
    return;
  }
  allow({M::async, M::ca, M::cg, M::shared, M::shared_cta, M::global, M::l2_64, M::l2_128,
         M::l2_256, M::l2_cache_hint});
  if (!has(M::async) || has(M::ca) == has(M::cg)) refuse();
  const bool hint = has(M::l2_cache_hint);
  expect_operands(hint ? 4 : 3, hint ? 5 : 4);
  if (operand(2).kind != Operand::Kind::immediate) refuse("the size must be a number");
  const std::uint64_t bytes = operand(2).bits;
  if (bytes != 16 && (has(M::cg) || (bytes != 4 && bytes != 8))) {
    refuse("copies of " + std::to_string(bytes) + " bytes");
  }
  const Address to = address(operand(0)), from = address(operand(1));
  if (from.narrow) refuse("the source needs a 64-bit address");
  made.n = static_cast<std::uint16_t>(bytes);
  made.a = to.offset;
  made.e = static_cast<std::uint32_t>(to.displacement);
  made.b = from.offset;
  made.immediate = static_cast<std::uint64_t>(from.displacement);
  made.flags = to.narrow ? 0 : 1;
  made.cache = program_->caches++;
  const std::size_t extra = now_->operands.size() - (hint ? 1 : 0);
  if (extra > 3) {
    const Operand& fourth = operand(3);
    const bool is_predicate =
        fourth.kind == Operand::Kind::virtual_register &&
        function_.registers[static_cast<std::size_t>(fourth.reg)] == RegisterClass::predicate;
    if (is_predicate) {
      made.d = predicate(fourth);
      made.flags |= static_cast<std::uint16_t>(4 | (fourth.negated ? 8 : 0));
    } else if (fourth.kind != Operand::Kind::sink) {
      made.c = source(fourth, 4);
      made.flags |= 2;
    }
  }
  emit(asynchronous::copy(), made);
}

}  // namespace tilewright::emulator
