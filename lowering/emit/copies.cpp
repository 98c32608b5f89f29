// Tiles from global memory: into shared memory for the tensor cores, or straight into registers.
#include "emit/emitter.hpp"
#include "ir/row_addresses.hpp"
#include "tilewright/error.hpp"

namespace tilewright::emit {

std::optional<std::size_t> Emitter::direct_axis(const ir::Operation& operation,
                                                ir::AxisId id) const {
  for (std::size_t i = 0; i < operation.indices.size(); ++i)
    if (operation.indices[i].value == no_value && operation.indices[i].axis == id) return i;
  return std::nullopt;
}

std::size_t Emitter::tensor_axis(const ir::Operation& operation, ir::AxisId id) const {
  if (const auto found = direct_axis(operation, id)) return *found;
  throw Error(
      ErrorKind::invalid_program, "a tile's dimension has no index in its tensor [internal defect]",
      {.argument = operation.name, .value = axis(id).dim, .where = to_string(operation.where)});
}

std::string Emitter::stride(const std::string& tensor, std::size_t which) {
  const Argument* argument = kernel_.find_argument(tensor);
  return parameter(Parameter::Kind::stride, plan_.argument(tensor) + "_" + argument->dims[which],
                   "i64", tensor, static_cast<int>(which));
}

/// The pointer with all scalar indices applied: `k + batch * k_batch + kv_head * k_kv_head`.
std::string Emitter::tensor_base(const ir::Operation& operation) {
  const Argument* argument = kernel_.find_argument(operation.name);
  const bool reads = !writes_memory(operation.op);
  const std::string element = argument->dtype == DType::f32   ? "float"
                              : is_half(argument->dtype)      ? std::string(name(argument->dtype))
                              : argument->dtype == DType::i64 ? "i64"
                              : argument->dtype == DType::u32 ? "u32"
                              : size_of(argument->dtype) == 1 ? "signed char"
                                                              : "int";
  if (is_half(argument->dtype)) prelude_.use(element);
  prelude_.use("i64");
  std::string text = parameter(Parameter::Kind::pointer, plan_.argument(operation.name),
                               (reads ? "const " : "") + element + "*", operation.name);
  for (std::size_t i = 0; i < operation.indices.size(); ++i) {
    if (operation.indices[i].kind != IndexSpec::Kind::scalar) continue;
    const Text index = element_text(operation.indices[i].value);
    text += " + " + (index.precedence < 13 ? "(" + index.text + ")" : index.text) + " * " +
            stride(operation.name, i);
  }
  return text;
}

/// The first element of the tile: the base, and the start of every block.
std::string Emitter::tile_start(const ir::Operation& operation, const std::string& block) {
  const auto named = base_.find(&operation);
  std::string text = named != base_.end() ? named->second : tensor_base(operation);
  for (std::size_t i = 0; i < operation.indices.size(); ++i) {
    const ir::Index& index = operation.indices[i];
    if (index.kind != IndexSpec::Kind::block) continue;
    const ir::Axis& tiled = axis(index.axis);
    const bool moving = index.axis == moving_axis_;
    const std::string start =
        moving ? block + " * " + std::to_string(tiled.tile) : block_start(index.axis);
    text += " + " + start + " * " + stride(operation.name, i);
  }
  return text;
}

/// The shared address of a buffer's first stage.
std::string Emitter::buffer_address(ValueId buffer) {
  const ir::Value& value = kernel_.values[static_cast<std::size_t>(buffer)];
  prelude_.use("shared_address");
  const std::string offset =
      value.place.offset == 0 ? "" : " + " + std::to_string(value.place.offset);
  return once("buffer " + std::to_string(buffer), value.name + "_s", "u32",
              "shared_address(shared)" + offset);
}

void Emitter::require_aligned(const ir::Operation& operation, ir::AxisId inner) {
  const int which = static_cast<int>(tensor_axis(operation, inner));
  for (const auto& known : result_.aligned)
    if (known.tensor == operation.name && known.inner_axis == which) return;
  result_.aligned.push_back({operation.name, which});
}

/// One tile into one stage of its buffer. `block` numbers the tile of the loop's axis (empty: the
/// one that is current), `stage` how far in bytes its stage lies from the first (empty: there is
/// one).
void Emitter::copy(const ir::Operation& operation, const std::string& block,
                   const std::string& stage) {
  if (ir::picks(operation)) {
    copy_rows(operation, block, stage);
    return commit_alone(operation, block, stage);
  }
  const ValueId buffer = operation.operands[0];
  const ir::Value& value = kernel_.values[static_cast<std::size_t>(buffer)];
  const auto& axes = value.type.axes;
  const ir::Axis &rows = axis(axes[0]), &columns = axis(axes[1]);
  const std::size_t row_axis = tensor_axis(operation, axes[0]),
                    column_axis = tensor_axis(operation, axes[1]);
  const auto left_of = [&](const ir::Axis& tiled, ir::AxisId id) {
    if (tiled.kind == ir::Axis::Kind::whole) return std::to_string(tiled.tile);
    const bool moving = id == moving_axis_;
    return extent(tiled.dim) + " - " +
           (moving ? block + " * " + std::to_string(tiled.tile) : block_start(id));
  };
  const std::string to = buffer_address(buffer) + (stage.empty() ? "" : " + " + stage);
  const std::string row_stride = stride(operation.name, row_axis);
  std::string from = tile_start(operation, block);
  if (from.size() > 48) {
    const std::string pointer = plan_.fresh(plan_.argument(operation.name) + "_from");
    out_.line("const auto* " + pointer + " = " + from + ";");
    from = pointer;
  }
  const int per_chunk = 16 / size_of(value.type.dtype), chunks = columns.padded / per_chunk,
            threads = kernel_.layout.threads();
  const bool whole = columns.kind == ir::Axis::Kind::whole, flips = operation.sign_of >= 0;
  const std::string left = left_of(rows, axes[0]), across = left_of(columns, axes[1]);
  const std::string flip = flips ? uniform(operation.sign_of) + " < 0" : "false";
  const std::string width = whole ? std::to_string(columns.tile) + ", " : "";
  const auto call = [&](const std::string& verb, const std::string& known,
                        const std::string& last) {
    prelude_.use(verb);
    return verb + "<" + std::to_string(rows.padded) + ", " + known + std::to_string(chunks) + ", " +
           std::to_string(value.place.row_chunks) + ", " + std::to_string(threads) + ">(" + to +
           ", " + from + ", " + row_stride + ", " + last + ");";
  };
  std::string text;
  if (!kernel_.aligned || (flips && (!whole || columns.tile % per_chunk != 0))) {
    const std::string inner = kernel_.aligned ? "1" : stride(operation.name, column_axis);
    text = call("gather_tile", "", inner + ", " + left + ", " + across + ", " + flip);
  } else if (flips) {
    text = call("copy_tile_signed", width, left + ", " + flip);
  } else if (whole) {
    text = call("copy_tile", width, left);
  } else {
    text = call("copy_tile_ragged", "", left + ", " + across);
  }
  if (kernel_.aligned) require_aligned(operation, axes[1]);
  out_.line(text, remark(operation) + value.name + " = load(" + operation.name + ")  " +
                      std::to_string(rows.padded) + "x" + std::to_string(columns.padded) + " " +
                      std::string(name(value.type.dtype)) + ", to shared memory");
  commit_alone(operation, block, stage);
}

/// A copy that no ring commits with others is a group of its own.
void Emitter::commit_alone(const ir::Operation& operation, const std::string& block,
                           const std::string& stage) {
  if (!block.empty() || !stage.empty() || !kernel_.aligned || operation.sign_of >= 0) return;
  prelude_.use("commit_copies");
  out_.line("commit_copies();");
}

std::string Emitter::widened(const std::string& stored, DType dtype) {
  if (!is_half(dtype)) return dtype == DType::i64 ? "(int)" + stored : stored;
  const std::string verb = "from_" + std::string(name(dtype));
  prelude_.use(verb);
  return verb + "(" + stored + ")";
}

std::string Emitter::narrowed(const Text& value, DType dtype) {
  if (!is_half(dtype)) return value.text;
  const std::string verb = "to_" + std::string(name(dtype));
  prelude_.use(verb);
  return verb + "(" + value.text + ")";
}

/// Offset of an element within its tile, in elements. `adjacent`: neighbours in the tensor's last
/// dimension are neighbours in memory; a stride of 1 that NVRTC has to multiply by hides from it
/// that stores to neighbours are one.
std::string Emitter::element_offset(const ir::Operation& operation, const At& at, bool adjacent) {
  std::string text;
  for (std::size_t i = 0; i < operation.indices.size(); ++i) {
    const ir::Index& index = operation.indices[i];
    if (index.kind == IndexSpec::Kind::scalar) continue;
    const bool picked = index.kind == IndexSpec::Kind::gather;
    const Text position = picked ? element(index.value, at) : index_text(index.axis, at);
    text += text.empty() ? "" : " + ";
    if (adjacent && i + 1 == operation.indices.size())
      text += position.precedence < 12 ? "(" + position.text + ")" : position.text;
    else
      text += (position.precedence < 13 ? "(" + position.text + ")" : position.text) + " * " +
              stride(operation.name, i);
  }
  return text;
}

/// That every index a tile picks lies inside its axis; "" where none is picked.
std::string Emitter::picked_inside(const ir::Operation& operation, const At& at) {
  std::string text;
  const Argument* tensor = kernel_.find_argument(operation.name);
  for (std::size_t i = 0; i < operation.indices.size(); ++i) {
    if (operation.indices[i].kind != IndexSpec::Kind::gather) continue;
    if (surely_inside(operation.indices[i].value, tensor->dims[i])) continue;
    prelude_.use("u32");
    const Text index = element(operation.indices[i].value, at);
    text += (text.empty() ? "(u32)" : " && (u32)") +
            (index.precedence < 15 ? "(" + index.text + ")" : index.text) + " < " +
            extent(tensor->dims[i]);
  }
  return text;
}

/// Whether neighbouring columns of the tile are neighbours in the tensor's last axis.
bool Emitter::columns_adjacent(const ir::Operation& operation, ir::AxisId column) const {
  const auto direct = direct_axis(operation, column);
  if (!direct || *direct + 1 != operation.indices.size()) return false;
  for (const ir::Index& index : operation.indices)
    if (index.kind == IndexSpec::Kind::gather && column_of(index.value) >= 0) return false;
  return true;
}

void Emitter::load_fragment(const ir::Operation& operation) {
  const ValueId value = operation.results[0];
  const Argument* tensor = kernel_.find_argument(operation.name);
  const ir::AxisId row = row_of(value), column = column_of(value);
  const std::string& name = plan_.variable(value);
  const std::string from = plan_.fresh(plan_.argument(operation.name) + "_from");
  const std::string base = tensor_base(operation);
  prelude_.use("unroll");
  if (row < 0 && column < 0) {
    const bool floating = is_floating(tensor->dtype);
    paragraph(operation, std::string("const ") + (floating ? "float " : "int ") + name + " = " +
                             widened("*(" + base + ")", tensor->dtype) + ";");
    return;
  }
  paragraph(operation, declaration(value, ";"));
  out_.line("const auto* " + from + " = " + base + ";");
  const int vector = kernel_.layout.vector, rows = kernel_.layout.rows_per_thread;
  const auto both = [](const std::string& a, const std::string& b) {
    return a.empty() ? b : b.empty() ? a : a + " && " + b;
  };
  if (kernel_.aligned && column >= 0 && vector > 1 && columns_adjacent(operation, column)) {
    // Neighbouring columns are neighbours in memory: one vector per row slot.
    require_aligned(operation, column);
    prelude_.use("load_row");
    const At at{.j = "j", .i = "", .r = rows == 1 ? "0" : "r", .v = "0"};
    const std::string stored = is_half(tensor->dtype) ? std::string(tilewright::name(tensor->dtype))
                               : tensor->dtype == DType::f32 ? "float"
                                                             : "int";
    const std::string guard = both(row >= 0 ? inside(row, at) : "", picked_inside(operation, at));
    const std::string left = neighbours_left(column, at);
    out_.open(
        "unroll for (int j = 0; j < " + std::to_string(columns_per_thread(column)) + "; ++j)" +
        (row >= 0 && rows > 1 ? " unroll for (int r = 0; r < " + std::to_string(rows) + "; ++r) {"
                              : " {"));
    out_.line(stored + " stored[" + std::to_string(vector) + "];");
    out_.line("load_row(stored, " + from + " + " + element_offset(operation, at, true) + ", " +
              (guard.empty() ? left : guard + " ? " + left + " : 0") + ");");
    const std::string slot = row >= 0 && rows > 1 ? std::to_string(vector) + " * r + i" : "i";
    out_.line("unroll for (int i = 0; i < " + std::to_string(vector) + "; ++i) " + name + "[j][" +
              slot + "] = " + widened("stored[i]", tensor->dtype) + ";");
    out_.close();
    return;
  }
  const At at = row >= 0 && column >= 0 ? element_at("j", "i")
                : column >= 0 ? At{.j = "j", .i = "i", .r = "0", .v = vector == 1 ? "0" : "i"}
                              : row_at(rows == 1 ? "0" : "r");
  std::string guard = row >= 0 ? inside(row, at) : "";
  if (column >= 0) guard = both(guard, inside(column, at));
  guard = both(guard, picked_inside(operation, at));
  const std::string loaded =
      widened(from + "[" + element_offset(operation, at) + "]", tensor->dtype);
  out_.line(over_elements(value, at,
                          name + subscript(value, at) + " = " +
                              (guard.empty() ? loaded : guard + " ? " + loaded + " : 0") + ";"));
}

}  // namespace tilewright::emit
