// Reductions: what a thread holds of a row, then the lanes that share it. Over the dimension that
// runs over warps: what a thread holds of a column, the lanes that share that, then all warps
// through shared memory, added up in their order by every thread, so that all have the result.
#include "emit/emitter.hpp"

namespace tilewright::emit {
namespace {

constexpr int lowest_sum = 11;  // what binds tighter than a sum stands in one without parentheses

const char* word_of(Op reduction) {
  return reduction == Op::reduce_max ? "max" : reduction == Op::reduce_argmax ? "argmax" : "sum";
}

std::string type_of(DType dtype) { return is_floating(dtype) ? "float" : "int"; }

/// `into` takes another summand. Sums of i32 wrap, which C++ leaves to numbers without a sign.
std::string add_to(const std::string& into, const std::string& x, DType dtype) {
  return is_floating(dtype) ? into + " += " + x + ";"
                            : into + " = int(u32(" + into + ") + u32(" + x + "));";
}

}  // namespace

const char* word_for(Op reduction) {
  return reduction == Op::reduce_max ? "top" : reduction == Op::reduce_argmax ? "place" : "total";
}

/// Whether a reduction is written inside `value`'s expression.
bool Emitter::reduces(ValueId value) const {
  const ir::Operation* operation = plan_.definition(value);
  if (operation == nullptr) return false;
  for (ValueId operand : operation->operands) {
    const ir::Operation* inner = plan_.definition(operand);
    if (plan_.is_variable(operand) || inner == nullptr) continue;
    if (is_reduction(inner->op) || (is_pointwise(inner->op) && reduces(operand))) return true;
  }
  return false;
}

/// Reductions written inside `value`'s expression: their accumulators come first, inside the row's
/// loop.
void Emitter::reductions_of(ValueId value, const At& row) {
  const ir::Operation* operation = plan_.definition(value);
  if (operation == nullptr) return;
  for (ValueId operand : operation->operands) {
    if (plan_.is_variable(operand) || local_.contains(operand)) continue;
    const ir::Operation* inner = plan_.definition(operand);
    if (inner == nullptr) continue;
    if (is_reduction(inner->op)) {
      const std::string name = plan_.fresh(word_for(inner->op));
      reduce_into(name, *inner, row, true);
      local_[operand] = name;
    } else if (is_pointwise(inner->op)) {
      reductions_of(operand, row);
    }
  }
}

/// One element joins the accumulator `into`; for the place of the largest that is `place`, and
/// `into` the element there.
std::string Emitter::reduction_step(const ir::Operation& operation, const std::string& into,
                                    const std::string& place, const At& at) {
  const Text x = element(operation.operands[0], at);
  if (operation.op == Op::reduce_max) {
    const bool floating = is_floating(kernel_.type(operation.operands[0]).dtype);
    return into + " = " + (floating ? "fmaxf(" : "max(") + into + ", " + x.text + ");";
  }
  if (operation.op == Op::reduce_sum) {
    const DType dtype = kernel_.type(operation.operands[0]).dtype;
    if (!is_floating(dtype)) prelude_.use("u32");
    return add_to(into, x.precedence > lowest_sum ? x.text : "(" + x.text + ")", dtype);
  }
  prelude_.use("take_larger");
  std::string shown;
  if (operation.operands.size() > 1 &&
      kernel_.type(operation.operands[1]).kind == ir::Type::Kind::tile) {
    shown = element(operation.operands[1], at).text;
    if (operation.cut_only && in_cut_code_) shown = "!cut || (" + shown + ")";
    shown = "if (" + shown + ") ";
  }
  return shown + "take_larger(" + into + ", " + place + ", " + x.text + ", " +
         index_text(operation.axis, at).text + ");";
}

void Emitter::reduce_into(const std::string& name, const ir::Operation& operation, const At& row,
                          bool fresh) {
  const bool maximum = operation.op == Op::reduce_max, place = operation.op == Op::reduce_argmax;
  const ValueId source = operation.operands[0];
  const int vector = kernel_.layout.vector, count = columns_per_thread(operation.axis);
  const std::string j = count == 1 ? "0" : "j";
  const bool by_row = row_of(source) >= 0;
  const auto at = [&](int v) {
    const std::string slot =
        !by_row                               ? std::to_string(v)
        : kernel_.layout.rows_per_thread == 1 ? std::to_string(v)
        : vector == 1                         ? row.r
        : v == 0                              ? std::to_string(vector) + " * " + row.r
                 : std::to_string(vector) + " * " + row.r + " + " + std::to_string(v);
    return At{.j = j, .i = slot, .r = row.r, .v = std::to_string(v)};
  };
  const DType dtype = kernel_.type(source).dtype;
  const bool floating = is_floating(dtype);
  const std::string best = place ? plan_.fresh("best") : name;
  const std::string start = maximum || place ? number(-INFINITY, dtype) : "0",
                    greater = floating ? "fmaxf" : "max";
  const auto term = [&](const At& where) {
    const Text x = element(source, where);
    return maximum || x.precedence > lowest_sum ? x.text : "(" + x.text + ")";
  };
  std::string step;
  if (vector == 2 && !place && (maximum || floating)) {
    const std::string a = term(at(0)), b = term(at(1));
    step = maximum
               ? name + " = " + greater + "(" + name + ", " + greater + "(" + a + ", " + b + "));"
               : add_to(name, a + " + " + b, dtype);
  } else {
    const At each{
        .j = j,
        .i = !by_row || kernel_.layout.rows_per_thread == 1
                 ? "i"
                 : (vector == 1 ? row.r : std::to_string(vector) + " * " + row.r + " + i"),
        .r = row.r,
        .v = vector == 1 ? "0" : "i"};
    step = (vector == 1 ? "" : "unroll for (int i = 0; i < " + std::to_string(vector) + "; ++i) ") +
           reduction_step(operation, best, name, each);
  }
  prelude_.use("unroll");
  const std::string loop = over_columns(count);
  if (place) {
    out_.line(type_of(dtype) + " " + best + " = " + start + ";  " + (fresh ? "int " : "") + name +
              " = -1;");
    out_.line(loop + step);
  } else {
    out_.line((fresh ? type_of(dtype) + " " : "") + name + " = " + start + ";  " + loop + step);
  }
  if (!operation.per_thread) {
    const std::string verb = std::string("across_") + word_of(operation.op);
    prelude_.use(verb);
    const bool wraps = !floating && operation.op == Op::reduce_sum;
    out_.line(name + " = " + (wraps ? "int(" : "") + verb + "<" +
              std::to_string(std::min(kernel_.layout.lanes_per_row, 32)) + ">(" +
              (place ? best + ", " : "") + (wraps ? "u32(" + name + ")" : name) +
              (wraps ? "));" : ");"));
  }
}

/// Over the rows of all warps. The result has the columns of its operand, or is one number; every
/// thread that has a column has its result.
void Emitter::reduce_rows(const ir::Operation& operation) {
  const ValueId value = operation.results[0];
  const std::string best = operation.op == Op::reduce_argmax ? plan_.fresh("best") : "";
  if (operation.op == Op::finish_reduce) {
    if (plan_.replaces(value) < 0)
      copy_value(plan_.variable(value), value, operation.operands[0], declaration(value, ";  "));
  } else {
    reduce_own_rows(operation, best);
  }
  if (!operation.per_thread) reduce_between_warps(operation, best);
}

/// What this thread holds, into the result's variable.
void Emitter::reduce_own_rows(const ir::Operation& operation, const std::string& best) {
  const ValueId value = operation.results[0], source = operation.operands[0];
  const bool column = column_of(value) >= 0, place = !best.empty();
  const std::string& name = plan_.variable(value);
  const DType dtype = kernel_.type(source).dtype;
  const At at =
      column ? element_at("j", "i") : row_at(kernel_.layout.rows_per_thread == 1 ? "0" : "r");
  prelude_.use("unroll");
  const auto begin = [&](const std::string& variable, DType type, double start) {
    const std::string made = declaration(value, "");
    const std::string declared =
        type_of(type) + " " + variable + made.substr(made.find(' ') + 1 + name.size());
    const std::string first = number(start, type);
    if (!column) return declared + " = " + first + ";";
    if (start == 0) return declared + " = {};";
    const At own = each(value);
    return declared + ";  " +
           over_elements(value, own, variable + subscript(value, own) + " = " + first + ";");
  };
  if (place) {
    paragraph(operation, begin(best, dtype, -INFINITY));
    out_.line(begin(name, DType::i32, -1));
  } else {
    paragraph(operation, begin(name, dtype, operation.op == Op::reduce_max ? -INFINITY : 0));
  }
  const std::string to = subscript(value, at);
  const auto step = [&] {
    return reduction_step(operation, (place ? best : name) + to, name + to, at);
  };
  if (column || !reduces(value)) {
    out_.line(over_elements(source, at, step()));
    return;
  }
  // A sum of what are sums along rows themselves.
  out_.open(over_elements(source, at, "{"));
  reductions_of(value, at);
  out_.line(step());
  local_.clear();
  out_.close();
}

void Emitter::reduce_between_warps(const ir::Operation& operation, const std::string& best) {
  const ValueId value = operation.results[0];
  const ir::AxisId column = column_of(value);
  const ir::Layout& layout = kernel_.layout;
  const bool place = !best.empty();
  const std::string& name = plan_.variable(value);
  const Op op = operation.op == Op::finish_reduce ? Op::reduce_sum : operation.op;
  const At at{.j = "j", .i = "i", .r = "0", .v = layout.vector == 1 ? "0" : "i"};
  const std::string mine = name + subscript(value, at), most = best + subscript(value, at);
  const DType dtype = kernel_.type(operation.operands[0]).dtype;
  const bool wraps = op == Op::reduce_sum && !is_floating(dtype);
  if (wraps) prelude_.use("u32");
  if (layout.lanes_per_row < 32) {
    const std::string verb = std::string("across_rows_") + word_of(op),
                      lanes = "<" + std::to_string(layout.lanes_per_row) + ">(";
    prelude_.use(verb);
    out_.line(over_elements(value, at,
                            place   ? verb + lanes + most + ", " + mine + ");"
                            : wraps ? mine + " = int(" + verb + lanes + "u32(" + mine + ")));"
                                    : mine + " = " + verb + lanes + mine + ");"));
  }
  if (layout.warps == 1) return;

  const ir::Place& buffer =
      kernel_.values[static_cast<std::size_t>(operation.operands.back())].place;
  const int width = column >= 0 ? axis(column).padded : 1;
  const int apart = layout.lanes_per_row * layout.vector;
  // Each meeting has a scope of its own, so they share their names.
  if (part_.empty()) part_ = plan_.fresh("part"), other_ = plan_.fresh("other");
  if (place && places_.empty()) places_ = plan_.fresh("places");
  const std::string &part = part_, &other = other_, &places = places_;
  const std::string start =
      buffer.offset == 0 ? "shared" : "(shared + " + std::to_string(buffer.offset) + ")";
  const std::string pointer = "(" + type_of(dtype) + "*)" + start + (column >= 0 ? " + col" : "");
  // Of a warp's row, the column of x[j][i].
  const std::string along =
      column < 0 ? ""
                 : (columns_per_thread(column) == 1 ? "" : " + " + std::to_string(apart) + " * j") +
                       (layout.vector == 1 ? "" : " + i");
  const auto of_warp = [&](const std::string& warp) {
    return "[" + (width == 1 ? warp : std::to_string(width) + " * " + warp) + along + "]";
  };
  out_.open("{", "what the rows of each warp give, to all threads");
  out_.line(type_of(dtype) + "* " + part + " = " + pointer + ";");
  if (place)
    out_.line("int* " + places + " = (int*)" + part + " + " + std::to_string(layout.warps * width) +
              ";");
  const std::string writers = column < 0 ? "if (lane == 0) "
                              : layout.lanes_per_row < 32
                                  ? "if (lane < " + std::to_string(layout.lanes_per_row) + ") "
                                  : "";
  const std::string here = of_warp("warp"), there = of_warp(other);
  out_.line(writers + over_elements(value, at,
                                    place ? part + here + " = " + most + ", " + places + here +
                                                " = " + mine + ";"
                                          : part + here + " = " + mine + ";"));
  out_.line("__syncthreads();");
  const std::string loops = over_elements(value, at, "");
  const std::string warps = "unroll for (int " + other + " = 0; " + other + " < " +
                            std::to_string(layout.warps) + "; ++" + other + ") ";
  std::string again, join;
  if (place) {
    join = "take_larger(" + most + ", " + mine + ", " + part + there + ", " + places + there + ");";
  } else if (op == Op::reduce_max) {
    join =
        mine + " = " + (is_floating(dtype) ? "fmaxf(" : "max(") + mine + ", " + part + there + ");";
  } else {
    again = mine + " = 0;";  // in the order of the warps, whichever this one is
    join = add_to(mine, part + there, dtype);
  }
  if (again.empty() || loops.empty()) {
    if (!again.empty()) out_.line(again);
    out_.line(loops + warps + join);
  } else {
    out_.open(loops + "{");
    out_.line(again);
    out_.line(warps + join);
    out_.close();
  }
  out_.close();
}

}  // namespace tilewright::emit
