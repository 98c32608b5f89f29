// Prints a kernel as text (print.hpp). Names come first: a value's own name, made unique by its
// position among the values of that name, so that inserting an unnamed value renames nothing.
#include "ir/print.hpp"

#include <charconv>
#include <cmath>

namespace tilewright {

namespace {

/// Keeps the last two components of a path: what stays equal between machines.
std::string short_path(const std::string& path) {
  const std::size_t last = path.find_last_of("/\\");
  if (last == std::string::npos || last == 0) return path;
  const std::size_t before = path.find_last_of("/\\", last - 1);
  return before == std::string::npos ? path : path.substr(before + 1);
}

std::string line_of(const Where& where) {
  return short_path(where.file) + ":" + std::to_string(where.line);
}

}  // namespace

std::string to_string(const Provenance& provenance) {
  if (provenance.user.line == 0) return provenance.inner.line ? line_of(provenance.inner) : "";
  const std::string user = line_of(provenance.user);
  return provenance.inner.line ? user + " > " + line_of(provenance.inner) : user;
}

}  // namespace tilewright

namespace tilewright::ir {

std::string print_number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return std::string(text, end);
}

std::string print_type(const Kernel& kernel, const Type& type) {
  if (type.kind == Type::Kind::token) return "token";
  std::string text = type.kind == Type::Kind::buffer ? "buffer " : "";
  text += name(type.dtype);
  if (type.encoding == Encoding::sparse_2of4) text += ":2of4";
  if (type.encoding == Encoding::packed_i4) text += ":i4";
  if (type.axes.empty()) return text;
  text += "[";
  for (std::size_t i = 0; i < type.axes.size(); ++i) {
    if (i) text += ", ";
    const auto id = static_cast<std::size_t>(type.axes[i]);
    if (id >= kernel.axes.size()) {
      text += "?axis " + std::to_string(type.axes[i]);
      continue;
    }
    const Axis& axis = kernel.axes[id];
    text += axis.dim;
    if (axis.tile > 0) text += ":" + std::to_string(axis.tile);
  }
  return text + "]";
}

std::string print_value(const Kernel& kernel, ValueId value) {
  if (value < 0 || static_cast<std::size_t>(value) >= kernel.values.size())
    return "%?" + std::to_string(value);
  const std::string& wanted = kernel.values[static_cast<std::size_t>(value)].name;
  if (wanted.empty()) return "%" + std::to_string(value);
  int before = 0;
  for (ValueId other = 0; other < value; ++other)
    if (kernel.values[static_cast<std::size_t>(other)].name == wanted) ++before;
  return before ? "%" + wanted + "." + std::to_string(before + 1) : "%" + wanted;
}

std::string print_domain(const Domain& domain) {
  if (domain.listed) return "visited and cut: as the list says";
  const auto same = [](const std::string& symbol) { return symbol; };
  const auto list = [&](const std::vector<TileInterval>& intervals) {
    std::string text;
    for (const TileInterval& interval : intervals) {
      text += " [" + interval.first.print(same) + ", " + interval.last.print(same) + "]";
      if (interval.has_condition()) text += " where " + interval.condition.print(same) + " >= 0";
    }
    return text.empty() ? std::string(" none") : text;
  };
  std::string text = "visited" + list(domain.visited) + "; hidden" + list(domain.hidden);
  if (!domain.positive.empty()) {
    text += "; positive";
    for (const std::string& symbol : domain.positive) text += " " + symbol;
  }
  if (!domain.exact) text += "; not exact: " + domain.note;
  return text;
}

namespace {

std::string place_text(const Place& place) {
  switch (place.kind) {
    case Place::Kind::unplaced: return "";
    case Place::Kind::uniform: return " in uniform";
    case Place::Kind::fragment: return " in fragment";
    case Place::Kind::operand_a: return " in operand_a";
    case Place::Kind::operand_b: return " in operand_b";
    case Place::Kind::shared: break;
  }
  std::string text = " in shared";
  if (place.swizzle) text += " swizzled";
  if (place.row_chunks) text += " row " + std::to_string(place.row_chunks) + "x16B";
  if (place.stages != 1) text += " x" + std::to_string(place.stages);
  if (place.bytes) text += " @" + std::to_string(place.offset) + "+" + std::to_string(place.bytes);
  return text;
}

const char* kind_text(Axis::Kind kind) {
  switch (kind) {
    case Axis::Kind::grid: return "grid";
    case Axis::Kind::loop: return "loop";
    case Axis::Kind::whole: return "whole";
  }
  return "?";
}

const char* kind_text(Argument::Kind kind) {
  switch (kind) {
    case Argument::Kind::in: return "in";
    case Argument::Kind::out: return "out";
    case Argument::Kind::in_out: return "in_out";
    case Argument::Kind::scalar: return "scalar";
  }
  return "?";
}

class Printer {
 public:
  explicit Printer(const Kernel& kernel) : kernel_(kernel) {}

  std::string all() {
    text_ = "kernel " + kernel_.name + "(";
    for (std::size_t i = 0; i < kernel_.arguments.size(); ++i) {
      const Argument& argument = kernel_.arguments[i];
      if (i) text_ += ", ";
      text_ += std::string(argument.temporary ? "temp " : "") + kind_text(argument.kind) + " " +
               argument.name + " " + std::string(name(argument.dtype));
      if (argument.kind != Argument::Kind::scalar) text_ += bracketed(argument.dims);
    }
    text_ += ")\n";
    if (!kernel_.grid.empty()) text_ += "  grid " + bracketed(kernel_.grid) + "\n";
    for (std::size_t i = 0; i < kernel_.axes.size(); ++i) axis(static_cast<AxisId>(i));
    for (const auto& [dim, extent] : kernel_.bound)
      text_ += "  extent " + dim + " = " + std::to_string(extent) + "\n";
    region(kernel_.body, 1);
    return text_;
  }

 private:
  static std::string bracketed(const std::vector<std::string>& words) {
    std::string text = "[";
    for (std::size_t i = 0; i < words.size(); ++i) text += (i ? ", " : "") + words[i];
    return text + "]";
  }

  std::string axis_name(AxisId id) const {
    if (id < 0 || static_cast<std::size_t>(id) >= kernel_.axes.size())
      return "?axis " + std::to_string(id);
    const Axis& axis = kernel_.axes[static_cast<std::size_t>(id)];
    int same = 0;
    for (AxisId other = 0; other < id; ++other)
      if (kernel_.axes[static_cast<std::size_t>(other)].dim == axis.dim) ++same;
    return same ? axis.dim + "." + std::to_string(same + 1) : axis.dim;
  }

  void axis(AxisId id) {
    const Axis& axis = kernel_.axes[static_cast<std::size_t>(id)];
    text_ += "  axis " + axis_name(id) + " " + kind_text(axis.kind);
    if (axis.tile) text_ += " tile " + std::to_string(axis.tile);
    if (axis.padded) text_ += " padded " + std::to_string(axis.padded);
    if (axis.requested_tile) text_ += " requested " + std::to_string(axis.requested_tile);
    if (axis.block != no_value) text_ += " block " + value(axis.block);
    if (axis.follows >= 0) text_ += " follows " + axis_name(axis.follows);
    if (axis.before || axis.after)
      text_ += " -" + std::to_string(axis.before) + " +" + std::to_string(axis.after);
    text_ += "\n";
  }

  std::string value(ValueId id) const { return print_value(kernel_, id); }

  std::string values(const std::vector<ValueId>& ids, bool typed) const {
    std::string text;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (i) text += ", ";
      text += value(ids[i]);
      if (typed) text += ": " + typed_place(ids[i]);
    }
    return text;
  }

  std::string typed_place(ValueId id) const {
    if (id < 0 || static_cast<std::size_t>(id) >= kernel_.values.size()) return "?";
    const Value& v = kernel_.values[static_cast<std::size_t>(id)];
    return print_type(kernel_, v.type) + place_text(v.place);
  }

  std::string index(const Index& index) const {
    if (index.value != no_value) return value(index.value);
    std::string text = axis_name(index.axis);
    if (index.kind == IndexSpec::Kind::block) text += ":block";
    if (index.step != 1) text = std::to_string(index.step) + " * " + text;
    if (index.offset != 0)
      text += (index.offset < 0 ? " - " : " + ") + std::to_string(std::abs(index.offset));
    return text;
  }

  std::string attributes(const Operation& op) const {
    std::string text;
    if (op.op == Op::constant) text += " " + print_number(op.constant);
    if (!op.name.empty()) text += " " + op.name;
    if (!op.indices.empty()) {
      text += "(";
      for (std::size_t i = 0; i < op.indices.size(); ++i)
        text += (i ? ", " : "") + index(op.indices[i]);
      text += ")";
    }
    if (!op.operands.empty()) text += " " + values(op.operands, false);
    if (op.axis >= 0) text += " over " + axis_name(op.axis);
    if (op.masked) text += " masked";
    if (op.cut_only) text += " cut_only";
    if (op.sunk) text += " sunk";
    if (op.per_thread) text += " per_thread";
    if (op.across_warps) text += " across_warps";
    if (op.tf32) text += " tf32";
    if (op.sign_of != no_value) text += " sign_of " + value(op.sign_of);
    if (op.stage_ahead) text += " ahead " + std::to_string(op.stage_ahead);
    if (op.pending) text += " pending " + std::to_string(op.pending);
    if (op.role == Role::producer) text += " role producer";
    if (op.role == Role::consumer) text += " role consumer";
    return text;
  }

  void region(const Region& region, int depth) {
    for (const auto& op : region.operations) operation(*op, depth);
  }

  void operation(const Operation& op, int depth) {
    const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
    std::string line = indent;
    if (!op.results.empty()) line += values(op.results, false) + " = ";
    line += info(op.op).name;
    line += attributes(op);
    if (!op.results.empty()) {
      line += " : ";
      for (std::size_t i = 0; i < op.results.size(); ++i)
        line += (i ? ", " : "") + typed_place(op.results[i]);
    }
    if (op.regions.empty()) {
      text_ += line + comment(op) + "\n";
      return;
    }
    text_ += line + " {" + comment(op) + "\n";
    if (op.domain) text_ += indent + "  # " + print_domain(*op.domain) + "\n";
    const bool has_mask = op.op == Op::for_blocks && op.regions.size() == 2;
    for (std::size_t i = 0; i < op.regions.size(); ++i) {
      const Region& nested = *op.regions[i];
      if (has_mask && i == 0 && nested.operations.empty()) continue;
      text_ += indent + (has_mask && i == 0 ? "mask(" : "body(") + values(nested.arguments, true) +
               "):\n";
      region(nested, depth + 1);
    }
    text_ += indent + "}\n";
  }

  std::string comment(const Operation& op) const {
    std::string text = to_string(op.where);
    for (const ValueId result : op.results) {
      if (result < 0 || static_cast<std::size_t>(result) >= kernel_.values.size()) continue;
      const std::string& note = kernel_.values[static_cast<std::size_t>(result)].note;
      if (!note.empty()) text += (text.empty() ? "" : "; ") + note;
    }
    return text.empty() ? "" : "  // " + text;
  }

  const Kernel& kernel_;
  std::string text_;
};

}  // namespace

std::string print(const Kernel& kernel) { return Printer(kernel).all(); }

}  // namespace tilewright::ir
