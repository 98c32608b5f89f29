// Tiles to global memory. A 16-bit accumulator goes through shared memory, so that every thread
// writes 16 neighbouring bytes; everything else is written from the registers it lies in.
#include "emit/emitter.hpp"
#include "ir/row_addresses.hpp"

namespace tilewright::emit {

void Emitter::store(const ir::Operation& operation) {
  for (std::size_t i = 1; i < operation.operands.size(); ++i)
    if (kernel_.type(operation.operands[i]).kind == ir::Type::Kind::buffer)
      return store_staged(operation, operation.operands[i]);
  const ValueId value = operation.operands[0];
  const Argument* tensor = kernel_.find_argument(operation.name);
  const ir::AxisId row = row_of(value), column = column_of(value);
  const bool adds = operation.op == Op::atomic_add;
  const std::string label =
      remark(operation) + (adds ? "atomic_add(" : "store(") + operation.name + ")";
  const std::string base = tensor_base(operation);
  const bool whole = base.find(' ') == std::string::npos;  // the argument itself
  const std::string to = whole ? base : plan_.fresh(plan_.argument(operation.name) + "_to");
  const bool optional = tensor->kind == Argument::Kind::out && !tensor->temporary;
  const std::string pointer = plan_.argument(operation.name);
  prelude_.use("unroll");
  out_.open((optional ? "if (" + pointer + ") {" : "{"), label);
  const int rows = kernel_.layout.rows_per_thread, vector = kernel_.layout.vector;
  if (row >= 0 && column < 0) reductions_of_store(value, row_at(rows == 1 ? "0" : "r"));
  if (!whole) out_.line("auto* " + to + " = " + base + ";");
  // The mask of the loop around it, where this tile is cut.
  const auto visible = [&](const At& at) -> std::string {
    if (operation.operands.size() < 2) return "";
    const std::string shown = element(operation.operands[1], at).text;
    return in_cut_code_ && operation.cut_only ? "(!cut || " + shown + ")" : "(" + shown + ")";
  };
  const auto both = [](const std::string& a, const std::string& b) {
    return a.empty() ? b : b.empty() ? a : a + " && " + b;
  };
  if (row < 0 && column < 0) {
    const std::string number = narrowed(element(value, {}), tensor->dtype);
    out_.line("if (threadIdx.x == 0) " +
              (adds ? "atomicAdd(" + to + ", " + number + ");" : "*" + to + " = " + number + ";"));
    out_.close();
    return;
  }
  packing_ = is_half(tensor->dtype);
  if (kernel_.aligned && column >= 0 && vector > 1 && operation.operands.size() == 1 && !adds &&
      columns_adjacent(operation, column)) {
    require_aligned(operation, column);
    prelude_.use("store_row");
    const int count = columns_per_thread(column);
    const std::string j = count == 1 ? "0" : "j";
    const At at{.j = j, .i = "", .r = rows == 1 ? "0" : "r", .v = "0"};
    const std::string stored = is_half(tensor->dtype) ? std::string(tilewright::name(tensor->dtype))
                               : tensor->dtype == DType::f32 ? "float"
                                                             : "int";
    const std::string left = neighbours_left(column, at);
    out_.open(over_columns(count) + (row >= 0 && rows > 1 ? "unroll for (int r = 0; r < " +
                                                                std::to_string(rows) + "; ++r) {"
                                                          : "{"));
    out_.line(stored + " stored[" + std::to_string(vector) + "];");
    const At element_at_i{.j = j,
                          .i = row >= 0 && rows > 1 ? std::to_string(vector) + " * r + i" : "i",
                          .r = at.r,
                          .v = "i"};
    out_.line("unroll for (int i = 0; i < " + std::to_string(vector) +
              "; ++i) stored[i] = " + narrowed(element(value, element_at_i), tensor->dtype) + ";");
    std::string guard = both(row >= 0                       ? inside(row, at)
                             : kernel_.layout.row_axis >= 0 ? "row == 0"
                                                            : "",
                             picked_inside(operation, at));
    if (axis(column).before > 0) guard = both(guard, index_text(column, at).text + " >= 0");
    out_.line((guard.empty() ? "" : "if (" + guard + ") ") + "store_row(" + to + " + " +
              element_offset(operation, at, true) + ", stored, " + left + ");");
    out_.close();
  } else {
    const At at = each(value);
    std::string guard = row >= 0 ? inside(row, at) : "";
    if (column >= 0) guard = both(guard, inside(column, at));
    if (column < 0)
      guard = both("lane % " + std::to_string(kernel_.layout.lanes_per_row) + " == 0",
                   guard);  // one lane per row
    if (row < 0 && kernel_.layout.row_axis >= 0) guard = both(guard, "row == 0");
    guard = both(both(guard, picked_inside(operation, at)), visible(at));
    std::string loops;
    if (column >= 0) loops += over_columns(columns_per_thread(column));
    const int inner = row >= 0 && column >= 0 ? slots() : column >= 0 ? vector : rows;
    if (inner > 1)
      loops += "unroll for (int " + std::string(column >= 0 ? "i" : "r") + " = 0; " +
               (column >= 0 ? "i" : "r") + " < " + std::to_string(inner) + "; ++" +
               (column >= 0 ? "i" : "r") + ")";
    if (!loops.empty()) out_.line(loops);
    const std::string indent = loops.empty() ? "" : "  ";
    if (!guard.empty()) out_.line(indent + "if (" + guard + ")");
    const std::string offset = element_offset(operation, at),
                      number = narrowed(element(value, at), tensor->dtype);
    out_.line(indent + (guard.empty() ? "" : "  ") +
              (adds ? "atomicAdd(" + to + " + " + offset + ", " + number + ");"
                    : to + "[" + offset + "] = " + number + ";"));
  }
  packing_ = false;
  local_.clear();
  out_.close();
}

/// Each warp's 16 rows: pairs into shared memory, then 16 bytes per lane out of it.
void Emitter::store_staged(const ir::Operation& operation, ValueId buffer) {
  const ValueId value = operation.operands[0];
  const Argument* tensor = kernel_.find_argument(operation.name);
  const ir::Place& place = kernel_.values[static_cast<std::size_t>(buffer)].place;
  const ir::AxisId row = row_of(value), column = column_of(value);
  const bool anywhere = ir::picks(operation);
  const std::string pointer = plan_.argument(operation.name),
                    base = anywhere ? tensor_base(operation) : tile_start(operation, "");
  const std::string to = plan_.fresh(pointer + "_to"),
                    staged = place.offset == 0 ? std::string("shared")
                                               : "shared + " + std::to_string(place.offset);
  const int chunks = axis(column).padded / 8,
            width = axis(column).kind == ir::Axis::Kind::whole ? axis(column).tile : 0;
  const std::string pitch = std::to_string(place.row_chunks), stored(name(tensor->dtype));
  require_aligned(operation, column);
  prelude_.use("chunk_at");
  const std::string label =
      remark(operation) + "store(" + operation.name + "), 16 bytes a lane through shared memory";
  out_.open(
      tensor->kind == Argument::Kind::out && !tensor->temporary ? "if (" + pointer + ") {" : "{",
      label);
  out_.line(stored + "* " + to + " = " + base + ";");
  pairs_to_shared(value, buffer, plan_.fresh(pointer + "_at"), "");
  out_.line("__syncwarp();");
  out_.open("for (int i = lane; i < 16 * " + std::to_string(chunks) + "; i += 32) {");
  out_.line("const int r = 16 * warp + i / " + std::to_string(chunks) + ", c = i % " +
            std::to_string(chunks) + ";");
  const std::string start = block_start(row);
  std::string offset;
  if (anywhere) {
    offset = row_offset(operation, row, start, "break", "continue");
    if (const std::string first = block_start(column); !first.empty())
      offset += " + " + first + " * " + stride_of(operation, tensor_axis(operation, column));
  } else {
    out_.line("if (" + (start.empty() ? "r" : start + " + r") + " >= " + end_of(row) + ") break;");
    offset = "r * " + stride_of(operation, tensor_axis(operation, row));
  }
  const std::string chunk = staged + " + chunk_at<" + pitch + ">(r, c)";
  const std::string across =
      width != 0 ? std::to_string(width) : end_of(column) + " - " + block_start(column);
  if (width != 0 && width == axis(column).padded) {
    out_.line("*(uint4*)(" + to + " + " + offset + " + 8 * c) = *(const uint4*)(" + chunk + ");");
  } else {
    prelude_.use("store_row");
    out_.line("store_row(" + to + " + " + offset + " + 8 * c, *(const " + stored + "(*)[8])(" +
              chunk + "), " + across + " - 8 * c);");
  }
  out_.close();
  out_.close();
}

/// A 16-bit tile whose buffer has its rows: neighbours are packed, two to a store. `at` names the
/// thread's address.
void Emitter::pairs_to_shared(ValueId value, ValueId buffer, const std::string& at,
                              const std::string& label) {
  const ir::Value& to = kernel_.values[static_cast<std::size_t>(buffer)];
  const int columns = columns_per_thread(column_of(value));
  for (const char* verb : {"unroll", "chunk_at", "store4"}) prelude_.use(verb);
  out_.line("const u32 " + at + " = " + buffer_address(buffer) + " + chunk_at<" +
                std::to_string(to.place.row_chunks) + ">(row, 0) + 2 * col;",
            label);
  out_.line("unroll for (int j = 0; j < " + std::to_string(columns) +
            "; ++j) unroll for (int r = 0; r < 2; ++r)");
  packing_ = true;
  const At low{.j = "j", .i = "2 * r", .r = "r", .v = "0"},
      high{.j = "j", .i = "2 * r + 1", .r = "r", .v = "1"};
  out_.line("  store4(" + along_row(at, to.place, 1, "j", columns) + " + " +
            std::to_string(to.place.row_chunks * 16 * 8) + " * r, " +
            packed(element(value, low), element(value, high), to.type.dtype) + ");");
  packing_ = false;
}

/// A computed tile on its way to the tensor cores: each thread writes the elements it holds.
void Emitter::to_shared(const ir::Operation& convert) {
  const ValueId value = convert.operands[0], buffer = convert.results[0];
  const ir::Place& place = kernel_.values[static_cast<std::size_t>(buffer)].place;
  const DType dtype = kernel_.type(value).dtype;
  const ir::AxisId row = row_of(value), column = column_of(value);
  const std::string pitch = std::to_string(place.row_chunks),
                    row_bytes = std::to_string(16 * place.row_chunks);
  const std::string& name = kernel_.values[static_cast<std::size_t>(buffer)].name;
  const std::string at = plan_.fresh(name + "_to"), start = buffer_address(buffer);
  const int columns = columns_per_thread(column);
  const bool half = is_half(dtype), along_rows = kernel_.type(value).axes[0] == row;
  for (const char* verb : {"unroll", "u32"}) prelude_.use(verb);
  const std::string loops =
      "unroll for (int j = 0; j < " + std::to_string(columns) + "; ++j) unroll for (int ";
  const std::string label = name + ", to shared memory";
  if (half && along_rows) {
    pairs_to_shared(value, buffer, at, label);
    return;
  }
  const At each = element_at("j", "i");
  const std::string size = half ? "2" : "4";
  const std::string r = "(row + i / 2 * 8)", c = "(8 * j + col + i % 2)";
  const std::string outer = along_rows ? r : c, inner = along_rows ? c : r;
  std::string offset = row_bytes + " * " + outer + " + " + size + " * " + inner;
  if (place.swizzle != 0) {
    prelude_.use("chunk_at");
    offset = "chunk_at<" + pitch + ">(" + outer + ", " + inner + " / 8) + 2 * (" + inner + " % 8)";
  }
  const std::string verb = half ? "store2" : "store4";
  prelude_.use(verb);
  out_.line(loops + "i = 0; i < 4; ++i)", label);
  const std::string stored = half ? narrowed(element(value, each), dtype)
                                  : "__float_as_uint(" + element(value, each).text + ")";
  out_.line("  " + verb + "(" + start + " + " + offset + ", " + stored + ");");
}

void Emitter::reductions_of_store(ValueId value, const At& row) {
  if (!plan_.is_variable(value)) reductions_of(value, row);
}

}  // namespace tilewright::emit
