// Statements over whole tiles: one paragraph per statement of the user's program, in its order.
#include <algorithm>

#include "emit/emitter.hpp"

namespace tilewright::emit {
void Emitter::region(const ir::Region& region) {
  for (const auto& operation : region.operations)
    if (operation->op != Op::yield) statement(*operation);
}

std::string Emitter::remark(const ir::Operation& operation) {
  const ValueId value = operation.results.empty() ? no_value : operation.results[0];
  std::string text = "[" + std::to_string(++number_) + "] ";
  const Provenance& where =
      value >= 0 && kernel_.values[static_cast<std::size_t>(value)].where.user.line != 0
          ? kernel_.values[static_cast<std::size_t>(value)].where
          : operation.where;
  if (where.user.line != 0) sources_.emplace_back(number_, where);
  out_.origin(where);
  return text;
}

std::string Emitter::comment(const ir::Operation& operation) {
  const ValueId value = operation.results[0];
  const ir::Value& made = kernel_.values[static_cast<std::size_t>(value)];
  // What a pass added belongs to the statement around it and has no number of its own.
  const bool of_the_user = static_cast<std::size_t>(value) < descriptions_.size() &&
                           !descriptions_[static_cast<std::size_t>(value)].empty();
  if (!of_the_user && made.note.empty()) return "";
  std::string comment = of_the_user ? remark(operation) : "";
  comment += plan_.variable(value);
  if (of_the_user) comment += " = " + descriptions_[static_cast<std::size_t>(value)];
  if (!made.note.empty()) comment += ", " + made.note;
  std::string shape;
  for (const ir::AxisId id : made.type.axes)
    shape += (shape.empty() ? "  " : "x") + std::to_string(axis(id).padded);
  return comment + shape + (shape.empty() ? "" : " " + std::string(name(made.type.dtype)));
}

void Emitter::paragraph(const ir::Operation& operation, const std::string& text) {
  out_.line(text, comment(operation));
}

/// Whether the operation has lines of its own: others are written where they are used.
bool Emitter::written_alone(const ir::Operation& operation) const {
  switch (operation.op) {
    case Op::each:
    case Op::block:
    case Op::operand_load:
    case Op::shared_alloc: return false;  // a buffer's address is declared where it is first used
    case Op::for_blocks:
    case Op::for_range:
    case Op::when:
    case Op::copy_async:
    case Op::wait:
    case Op::barrier:
    case Op::convert_layout:
    case Op::store:
    case Op::atomic_add:
    case Op::dot: return true;
    default: return operation.results.size() == 1 && plan_.is_variable(operation.results[0]);
  }
}

/// What is sunk waits for the condition that reads it.
void Emitter::statement(const ir::Operation& operation) {
  if (!written_alone(operation)) return;
  if (operation.sunk && in_cut_code_) {
    sunk_.push_back(&operation);
    return;
  }
  if (!serves_alone(operation)) write_sunk();
  write(operation);
}

/// Whether all that waits is read by `select` alone, which overwrites a tile: both stand in one
/// branch then.
bool Emitter::serves_alone(const ir::Operation& select) const {
  if (select.op != Op::select || !select.cut_only || declares(select.results[0])) return false;
  std::set<const ir::Operation*> readers(sunk_.begin(), sunk_.end());
  readers.insert(&select);
  return std::all_of(sunk_.begin(), sunk_.end(), [&](const ir::Operation* waiting) {
    return plan_.read_by_none_but(readers, waiting->results[0]);
  });
}

/// Variables for later conditions, which set them in cut tiles and read them in no others.
void Emitter::write_sunk() {
  if (sunk_.empty()) return;
  const auto waiting = std::move(sunk_);
  sunk_.clear();
  for (const ir::Operation* operation : waiting) {
    out_.origin(operation->where);
    rows_as(operation->results[0]);
    out_.line(declaration(operation->results[0], ";"));
    declared_.insert(operation->results[0]);
  }
  out_.open("if (cut) {", "what hides elements; in a full tile nothing does");
  for (const ir::Operation* operation : waiting) write(*operation);
  out_.close();
}

/// Whether the paragraph that sets `value` declares its variable.
bool Emitter::declares(ValueId value) const {
  return plan_.replaces(value) < 0 && !declared_.contains(value);
}

void Emitter::write(const ir::Operation& operation) {
  out_.origin(operation.where);
  if (operation.op == Op::store || operation.op == Op::convert_layout || is_reduction(operation.op))
    rows_as(operation.operands[0]);
  else if (!operation.results.empty() && operation.op != Op::for_blocks &&
           operation.op != Op::for_range)
    rows_as(operation.results[0]);
  switch (operation.op) {
    case Op::for_blocks: for_blocks(operation); return;
    case Op::for_range: for_range(operation); return;
    case Op::when: when(operation); return;
    case Op::copy_async: copy(operation, "", ""); return;
    case Op::wait: {
      if (!kernel_.aligned) return;  // copies through registers are complete when they return
      prelude_.use("wait_copies");
      out_.line("wait_copies<" + std::to_string(operation.pending) + ">();");
      return;
    }
    case Op::barrier:
      out_.line("__syncthreads();", operation.name.empty()
                                        ? ""
                                        : operation.name + ": what other threads wrote or read");
      return;
    case Op::convert_layout: to_shared(operation); return;
    case Op::store:
    case Op::atomic_add: store(operation); return;
    case Op::dot: dot(operation); return;
    default: break;
  }
  if (operation.op == Op::load) {
    load_fragment(operation);
  } else if (operation.op == Op::take && operation.operands.size() > 2) {
    take_through_shared(operation);
  } else if (operation.op == Op::select && operation.cut_only && !declares(operation.results[0])) {
    mask_in_place(operation);
  } else {
    compute(operation);
  }
}

void Emitter::compute(const ir::Operation& operation) {
  const ValueId value = operation.results[0];
  const bool declare = declares(value);
  const bool tile = !kernel_.type(value).axes.empty();
  if (operation.across_warps) return reduce_rows(operation);
  if (operation.op == Op::finish_reduce) {
    prelude_.use("across_sum");
    prelude_.use("unroll");
    const std::string lanes = std::to_string(std::min(kernel_.layout.lanes_per_row, 32));
    const At at = row_at("r");
    if (declare) out_.line(declaration(value, ";"));
    paragraph(operation,
              over_elements(value, at,
                            plan_.variable(value) + subscript(value, at) + " = across_sum<" +
                                lanes + ">(" + element(operation.operands[0], at).text + ");"));
    return;
  }
  if (operation.op == Op::constant && tile && declare) {
    const bool zero = operation.constant == 0;
    paragraph(operation, declaration(value, zero ? " = {};" : ";"));
    if (!zero) {
      prelude_.use("unroll");
      const At at = each(value);
      out_.line(over_elements(value, at,
                              plan_.variable(value) + subscript(value, at) + " = " +
                                  number(operation.constant, kernel_.type(value).dtype) + ";"));
    }
    return;
  }
  assign(value, operation, declare);
}

void Emitter::assign(ValueId target, const ir::Operation& operation, bool declare) {
  const bool row = row_of(target) >= 0, column = column_of(target) >= 0;
  const std::string& name = plan_.variable(target);
  const auto expression = [&](const At& at) {
    if (const auto found = local_.find(target); found != local_.end())
      return Text{found->second, 16};
    return pointwise(operation, at);
  };
  if (!row && !column) {
    if (is_reduction(operation.op)) {
      if (declare) paragraph(operation, declaration(target, ";"));
      reduce_into(name, operation, row_at("0"), false);
      return;
    }
    reductions_of(target, row_at("0"));
    const std::string type = is_floating(kernel_.type(target).dtype) ? "float " : "int ";
    paragraph(operation, (declare ? "const " + type : "") + name + " = " +
                             (operation.op == Op::constant
                                  ? number(operation.constant, kernel_.type(target).dtype)
                                  : expression({}).text) +
                             ";");
    local_.clear();
    return;
  }
  prelude_.use("unroll");
  if (!column) {  // per row: reductions first, then the row's value
    const int rows = kernel_.layout.rows_per_thread;
    const At at = row_at(rows == 1 ? "0" : "r");
    if (!is_reduction(operation.op) && !reduces(target)) {
      const std::string line = name + subscript(target, at) + " = " + expression(at).text + ";";
      paragraph(operation,
                (declare ? declaration(target, ";  ") : "") + over_elements(target, at, line));
      return;
    }
    const std::string open =
        rows == 1 ? "{" : "unroll for (int r = 0; r < " + std::to_string(rows) + "; ++r) {";
    if (declare) {
      paragraph(operation, declaration(target, ";"));
      out_.open(open);
    } else {
      out_.open(open, comment(operation));
    }
    if (is_reduction(operation.op)) {
      const std::string top = plan_.fresh(word_for(operation.op));
      reduce_into(top, operation, at, true);
      local_[target] = top;
    } else {
      reductions_of(target, at);
    }
    const std::string value = expression(at).text;
    local_.erase(target);
    out_.line(name + subscript(target, at) + " = " + value + ";");
    local_.clear();
    out_.close();
    return;
  }
  const At at = each(target);
  if (declare) paragraph(operation, declaration(target, ";"));
  const std::string variable = name + subscript(target, at), value = expression(at).text;
  // x = x * y reads better as x *= y.
  std::string line = variable + " = " + value + ";";
  for (const char* sign : {" * ", " + ", " - "})
    if (value.starts_with(variable + sign) &&
        value.find(' ', variable.size() + 3) == std::string::npos)
      line = variable + " " + sign[1] + "= " + value.substr(variable.size() + 3) + ";";
  if (declare)
    out_.line(over_elements(target, at, line));
  else
    paragraph(operation, over_elements(target, at, line));
}

/// where(visible, s, -inf) of a cut tile: hidden elements are overwritten, full tiles skip it and
/// what only the condition needs.
void Emitter::mask_in_place(const ir::Operation& operation) {
  prelude_.use("unroll");
  const ValueId value = operation.results[0];
  const std::string label = "hidden elements; a full tile has none";
  const auto waiting = std::move(sunk_);
  sunk_.clear();
  if (!waiting.empty()) {
    out_.open("if (cut) {", label);
    for (const ir::Operation* needed : waiting) write(*needed);
    out_.origin(operation.where);
    rows_as(value);
  }
  const At at = each(value);
  const std::string hidden = negated(operation.operands[0], at).text,
                    neutral = element(operation.operands[2], at).text;
  std::string loops = over_elements(value, at, "");
  if (!loops.empty()) loops.pop_back();
  const std::string overwrite =
      "if (" + hidden + ") " + plan_.variable(value) + subscript(value, at) + " = " + neutral + ";";
  if (waiting.empty()) {
    out_.line("if (cut)", label);
    if (!loops.empty()) out_.line("  " + loops);
    out_.line("    " + overwrite);
    return;
  }
  if (!loops.empty()) out_.line(loops);
  out_.line((loops.empty() ? "" : "  ") + overwrite);
  out_.close();
}

void Emitter::copy_value(const std::string& to, ValueId shape, ValueId from,
                         const std::string& before) {
  rows_as(shape);
  prelude_.use("unroll");
  const At at = each(shape);
  out_.line(
      before +
      over_elements(shape, at, to + subscript(shape, at) + " = " + element(from, at).text + ";"));
}

}  // namespace tilewright::emit
