// Which elements of a tile a thread holds, and how they are written: declarations, subscripts,
// loops, and where in the tile and in the tensor they stand. The map itself is in ir.hpp (Layout).
#include "emit/emitter.hpp"
#include "emit/errors.hpp"
#include "ir/flattened.hpp"
#include "tilewright/error.hpp"

namespace tilewright::emit {
namespace {

constexpr int primary = 16, additive = 12;  // C++ precedence, as in elements.cpp

/// `base + offset`, leaving out a zero.
std::string sum(const std::string& base, const std::string& offset) {
  if (base.empty() || base == "0") return offset.empty() ? "0" : offset;
  if (offset.empty() || offset == "0") return base;
  return base + " + " + offset;
}

std::string times(int factor, const std::string& index) {
  if (index == "0") return "0";
  const bool literal = index.find_first_not_of("0123456789") == std::string::npos;
  if (literal) return std::to_string(factor * std::stoi(index));
  const bool simple = index.find(' ') == std::string::npos;
  if (factor == 1) return index;
  // "i / 2" needs its parentheses: factor * (i / 2) divides first.
  return std::to_string(factor) + " * " + (simple ? index : "(" + index + ")");
}

}  // namespace

void Emitter::rows_as(ValueId value) {
  const ir::AxisId rows = kernel_.values[static_cast<std::size_t>(value)].row_axis;
  row_axis_ = rows >= 0 ? rows : kernel_.layout.row_axis;
}

ir::AxisId Emitter::row_of(ValueId value) const {
  const ir::AxisId rows = kernel_.values[static_cast<std::size_t>(value)].row_axis;
  for (const ir::AxisId id : kernel_.type(value).axes)
    if (id == rows) return id;
  return -1;
}

ir::AxisId Emitter::column_of(ValueId value) const {
  const ir::AxisId row = row_of(value);
  ir::AxisId column = -1;
  for (const ir::AxisId id : kernel_.type(value).axes) {
    if (id == row) continue;
    if (column >= 0)
      throw Error(errors::emit["tile-layout-unsupported"],
                  "a tile over two dimensions that both lie within a thread's row has no layout in "
                  "this version",
                  {.argument = axis(column).dim + ", " + axis(id).dim,
                   .allowed = "one of them the dimension that runs over warps",
                   .where = to_string(kernel_.values[static_cast<std::size_t>(value)].where)});
    column = id;
  }
  return column;
}

int Emitter::columns_per_thread(ir::AxisId column) const {
  return axis(column).padded / (kernel_.layout.lanes_per_row * kernel_.layout.vector);
}

/// How many elements an axis has in all.
std::string Emitter::end_of(ir::AxisId id) {
  const ir::Axis& tiled = axis(id);
  return tiled.kind == ir::Axis::Kind::whole ? std::to_string(tiled.tile)
                                             : extent(kernel_.counted_along(id));
}

std::string Emitter::inside(ir::AxisId id, const At& at) {
  const ir::Axis& tiled = axis(id);
  const auto known = kernel_.known_extent(id);
  const bool divides = known && *known % tiled.tile == 0 && tiled.before == 0 && tiled.after == 0;
  if (divides && tiled.padded == tiled.tile) return "";
  const std::string index = index_text(id, at).text;
  const std::string inside =
      (tiled.before > 0 ? index + " >= 0 && " : "") + index + " < " + end_of(id);
  if (tiled.kind == ir::Axis::Kind::whole || tiled.padded == tiled.tile) return inside;
  const std::string here = within_tile(id, at) + " < " + std::to_string(tiled.tile);
  return divides ? here : here + " && " + inside;
}

/// How many neighbours from this one on lie inside the tensor and the tile.
std::string Emitter::neighbours_left(ir::AxisId id, const At& at) {
  const ir::Axis& tiled = axis(id);
  const std::string left = end_of(id) + " - (" + index_text(id, at).text + ")";
  if (tiled.kind == ir::Axis::Kind::whole || tiled.padded == tiled.tile) return left;
  return "min(" + left + ", " + std::to_string(tiled.tile) + " - (" + within_tile(id, at) + "))";
}

std::string Emitter::subscript(ValueId value, const At& at) const {
  const ir::AxisId row = row_of(value), column = column_of(value);
  if (row >= 0 && column >= 0) return "[" + at.j + "][" + at.i + "]";
  if (row >= 0) return "[" + at.r + "]";
  if (column >= 0) return "[" + at.j + "][" + at.v + "]";
  return "";
}

std::string Emitter::declaration(ValueId value, const std::string& initial) {
  const ir::AxisId row = row_of(value), column = column_of(value);
  const DType dtype = kernel_.type(value).dtype;
  std::string text = std::string(is_floating(dtype)   ? "float "
                                 : dtype == DType::b1 ? "bool "
                                                      : "int ") +
                     plan_.variable(value);
  if (column >= 0) text += "[" + std::to_string(columns_per_thread(column)) + "]";
  if (row >= 0 && column >= 0) text += "[" + std::to_string(slots()) + "]";
  if (row >= 0 && column < 0) text += "[" + std::to_string(kernel_.layout.rows_per_thread) + "]";
  if (row < 0 && column >= 0) text += "[" + std::to_string(kernel_.layout.vector) + "]";
  return text + initial;
}

At Emitter::element_at(const std::string& j, const std::string& i) const {
  const int vector = kernel_.layout.vector, rows = kernel_.layout.rows_per_thread;
  At at{.j = j, .i = i, .r = i, .v = i};
  const bool literal = i.find_first_not_of("0123456789") == std::string::npos;
  if (vector == 1)
    at.v = "0";
  else if (rows > 1)
    at.v = literal ? std::to_string(std::stoi(i) % vector) : i + " % " + std::to_string(vector);
  if (rows == 1)
    at.r = "0";
  else if (vector > 1)
    at.r = literal ? std::to_string(std::stoi(i) / vector) : i + " / " + std::to_string(vector);
  return at;
}

At Emitter::row_at(const std::string& r) const { return {.j = "0", .i = r, .r = r, .v = "0"}; }

/// The element of `value` that over_elements is at: a counter where there is more than one.
At Emitter::each(ValueId value) const {
  const ir::AxisId row = row_of(value), column = column_of(value);
  if (column < 0) return row_at(kernel_.layout.rows_per_thread == 1 ? "0" : "r");
  const std::string j = columns_per_thread(column) == 1 ? "0" : "j";
  if (row >= 0) return element_at(j, slots() == 1 ? "0" : "i");
  return {.j = j, .i = "i", .r = "0", .v = kernel_.layout.vector == 1 ? "0" : "i"};
}

/// `unroll for (int j = 0; j < count; ++j) `; nothing where there is one.
std::string Emitter::over_columns(int count) {
  return count == 1 ? std::string()
                    : "unroll for (int j = 0; j < " + std::to_string(count) + "; ++j) ";
}

/// The loops that visit every element this thread holds of a tile like `shape`, around `body`.
std::string Emitter::over_elements(ValueId shape, const At& at, const std::string& body) const {
  const ir::AxisId row = row_of(shape), column = column_of(shape);
  // A loop of one trip is left out, unless `at` uses its counter.
  const auto loop = [](const std::string& name, int count, const std::string& used) {
    return count == 1 && used != name ? std::string()
                                      : "unroll for (int " + name + " = 0; " + name + " < " +
                                            std::to_string(count) + "; ++" + name + ") ";
  };
  std::string text;
  if (column >= 0) text += loop("j", columns_per_thread(column), at.j);
  if (row >= 0 && column >= 0) text += loop("i", slots(), at.i);
  if (row >= 0 && column < 0) text += loop("r", kernel_.layout.rows_per_thread, at.r);
  if (row < 0 && column >= 0) text += loop("i", kernel_.layout.vector, at.v);
  return text + body;
}

std::string Emitter::block_start(ir::AxisId id) {
  const ir::Axis& tiled = axis(id);
  if (tiled.kind == ir::Axis::Kind::whole) return "";
  std::string start =
      plan_.variable(tiled.block) + " * " + std::to_string(axis(kernel_.leader(id)).tile);
  if (tiled.before > 0) start += " - " + std::to_string(tiled.before);
  return start;
}

/// Where an element stands within its tile.
std::string Emitter::within_tile(ir::AxisId id, const At& at) const {
  if (is_row(id)) return sum("row", times(rows_apart(), at.r));
  const int vector = kernel_.layout.vector, apart = kernel_.layout.lanes_per_row * vector;
  return sum(sum(times(apart, at.j), "col"), vector == 1 ? "" : at.v);
}

Text Emitter::index_text(ir::AxisId id, const At& at) {
  if (id == address_rows_) return {address_row_, primary};
  std::string within = within_tile(id, at);
  if (is_row(id) && axis(id).kind == ir::Axis::Kind::grid) {
    const std::string first = once("row of " + std::to_string(id), axis(id).dim + "_row", "int",
                                   block_start(id) + " + row");
    within = sum(first, times(rows_apart(), at.r));
    return {within, within == first ? primary : additive};
  }
  const std::string text = sum(block_start(id), within);
  return {text, text.find(' ') == std::string::npos ? primary : additive};
}

}  // namespace tilewright::emit
