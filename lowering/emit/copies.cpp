// Tiles from global memory: into shared memory for the tensor cores, or straight into registers.
#include "emit/emitter.hpp"
#include "ir/errors.hpp"
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
      errors::ir["kernel-inconsistent"],
      "a tile's dimension has no index in its tensor [internal defect]",
      {.argument = operation.name, .value = axis(id).dim, .where = to_string(operation.where)});
}

std::string Emitter::stride(const std::string& tensor, std::size_t which) {
  const Argument* argument = kernel_.find_argument(tensor);
  return parameter(Parameter::Kind::stride, plan_.argument(tensor) + "_" + argument->dims[which],
                   "i64", tensor, static_cast<int>(which));
}

/// From one element of an index's axis to the next.
std::string Emitter::stride_of(const ir::Operation& operation, std::size_t which) {
  const int step = operation.indices[which].step;
  const std::string own = stride(operation.name, which);
  return step == 1 ? own : std::to_string(step) + " * " + own;
}

/// The first element of the tile at hand, or of the one that `block` numbers while a copy for it is
/// written; "" for a whole axis.
std::string Emitter::start_at(ir::AxisId id, const std::string& block) {
  const ir::Axis& tiled = axis(id);
  if (tiled.kind == ir::Axis::Kind::whole || kernel_.leader(id) != moving_axis_)
    return block_start(id);
  return block + " * " + std::to_string(axis(kernel_.leader(id)).tile) +
         (tiled.before > 0 ? " - " + std::to_string(tiled.before) : "");
}

/// Which elements of an index's axis the tensor has. Written about the axis's own elements: a step
/// times the last of them may leave 32 bits.
Emitter::Limits Emitter::limits(const ir::Operation& operation, std::size_t which) {
  const ir::Index& index = operation.indices[which];
  if (!kernel_.may_leave(operation, which)) return {};
  Limits result;
  if (index.offset < 0)
    result.first = std::to_string((std::int64_t{index.step} - 1 - index.offset) / index.step);
  const std::string& dim = kernel_.find_argument(operation.name)->dims[which];
  const std::int64_t more = std::int64_t{index.step} - 1 - index.offset;
  if (const auto bound = kernel_.bound.find(dim); bound != kernel_.bound.end()) {
    result.end = std::to_string(std::max<std::int64_t>(0, bound->second + more) / index.step);
    return result;
  }
  const std::string end = extent(dim);
  result.end = more == 0  ? end
               : more < 0 ? end + " - " + std::to_string(-more)
                          : "(i64)" + end + " + " + std::to_string(more);
  if (more > 0) prelude_.use("i64");
  if (index.step > 1)
    result.end = (more == 0 ? end : "(" + result.end + ")") + " / " + std::to_string(index.step);
  if (more > 0) result.end = "(int)min(" + result.end + ", 2147483647ll)";
  return result;
}

/// The elements of a tile that the axis and the tensor have.
Emitter::Span Emitter::span(const ir::Operation& operation, ir::AxisId id,
                            const std::string& block) {
  const ir::Axis& own = axis(id);
  const std::string start = start_at(id, block);
  const bool whole = own.kind == ir::Axis::Kind::whole;
  const Limits limit = limits(operation, tensor_axis(operation, id));
  const auto counted = [&](const std::string& element) {
    if (start.empty()) return element;
    return element + " - " + (own.before > 0 ? "(" + start + ")" : start);
  };
  std::string end = whole ? std::to_string(own.tile) : extent(kernel_.counted_along(id));
  if (!limit.end.empty()) end = "min(" + end + ", " + limit.end + ")";
  Span result{"", counted(end)};
  if (!whole && own.padded > own.tile)
    result.end = "min(" + result.end + ", " + std::to_string(own.tile) + ")";
  const std::string first = limit.first.empty() && own.before > 0 ? "0" : limit.first;
  if (!first.empty()) result.first = first == "0" ? "-(" + start + ")" : counted(first);
  return result;
}

/// Whether every vector of `unit` neighbours that starts at a multiple of it in the tile starts at
/// one in the tensor.
bool Emitter::starts_aligned(const ir::Operation& operation, std::size_t which, int unit) const {
  const ir::Index& index = operation.indices[which];
  const ir::Axis& own = axis(index.axis);
  const bool tiles = own.kind == ir::Axis::Kind::whole ||
                     (axis(kernel_.leader(index.axis)).tile % unit == 0 && own.before % unit == 0);
  return index.step == 1 && index.offset % unit == 0 && tiles;
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
    if (const int offset = operation.indices[i].offset; offset != 0)
      text += (offset < 0 ? " - " : " + ") + std::to_string(std::abs(offset)) + " * " +
              stride(operation.name, i);
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
    const std::string start = start_at(index.axis, block);
    text += " + " + (axis(index.axis).before > 0 ? "(" + start + ")" : start) + " * " +
            stride_of(operation, i);
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
  const std::string to = buffer_address(buffer) + (stage.empty() ? "" : " + " + stage);
  const std::string row_stride = stride_of(operation, row_axis);
  std::string from = tile_start(operation, block);
  if (from.size() > 48) {
    const std::string pointer = plan_.fresh(plan_.argument(operation.name) + "_from");
    out_.line("const auto* " + pointer + " = " + from + ";");
    from = pointer;
  }
  const int per_chunk = 16 / size_of(value.type.dtype), chunks = columns.padded / per_chunk,
            threads = kernel_.layout.threads();
  const Span down = span(operation, axes[0], block), across = span(operation, axes[1], block);
  const bool whole = columns.kind == ir::Axis::Kind::whole &&
                     !kernel_.may_leave(operation, column_axis),
             flips = operation.sign_of >= 0;
  const std::string flip = flips ? uniform(operation.sign_of) + " < 0" : "false";
  const std::string width = whole ? std::to_string(columns.tile) + ", " : "";
  const auto call = [&](const std::string& verb, const std::string& known,
                        const std::string& last) {
    prelude_.use(verb);
    return verb + "<" + std::to_string(rows.padded) + ", " + known + std::to_string(chunks) + ", " +
           std::to_string(value.place.row_chunks) + ", " + std::to_string(threads) + ">(" + to +
           ", " + from + ", " + row_stride + ", " + last + ");";
  };
  // 16 bytes of a row are copied as one where they are neighbours, aligned, and none lies in front
  // of the tensor.
  const bool in_chunks =
      kernel_.aligned && across.first.empty() && starts_aligned(operation, column_axis, per_chunk);
  const auto or_zero = [](const std::string& first) { return first.empty() ? "0" : first; };
  std::string text;
  if (!in_chunks || (flips && (!whole || columns.tile % per_chunk != 0 || !down.first.empty()))) {
    const std::string unit = kernel_.aligned ? std::to_string(operation.indices[column_axis].step)
                                             : stride_of(operation, column_axis);
    const std::string ends = unit + ", " + down.end + ", " + across.end + ", " + flip;
    text = down.first.empty() && across.first.empty()
               ? call("gather_tile", "", ends)
               : call("gather_tile_within", "",
                      ends + ", " + or_zero(down.first) + ", " + or_zero(across.first));
  } else if (!down.first.empty()) {
    text = call("copy_tile_within", "", down.first + ", " + down.end + ", " + across.end);
  } else if (flips) {
    text = call("copy_tile_signed", width, down.end + ", " + flip);
  } else if (whole) {
    text = call("copy_tile", width, down.end);
  } else {
    text = call("copy_tile_ragged", "", down.end + ", " + across.end);
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
    if (adjacent && i + 1 == operation.indices.size()) {
      text += position.precedence < 12 ? "(" + position.text + ")" : position.text;
      continue;
    }
    const std::string by = stride_of(operation, i);
    text += (position.precedence < 13 ? "(" + position.text + ")" : position.text) + " * " +
            (index.step == 1 ? by : "(" + by + ")");
  }
  return text;
}

/// That every index lies inside its axis of the tensor; "" where that is certain.
std::string Emitter::picked_inside(const ir::Operation& operation, const At& at) {
  std::string text;
  const auto also = [&](const std::string& condition) {
    text += (text.empty() ? "" : " && ") + condition;
  };
  const Argument* tensor = kernel_.find_argument(operation.name);
  for (std::size_t i = 0; i < operation.indices.size(); ++i) {
    if (operation.indices[i].axis >= 0) {
      const Limits limit = limits(operation, i);
      const std::string index = index_text(operation.indices[i].axis, at).text;
      if (!limit.first.empty()) also(index + " >= " + limit.first);
      if (!limit.end.empty()) also(index + " < " + limit.end);
      continue;
    }
    if (operation.indices[i].kind != IndexSpec::Kind::gather) continue;
    if (surely_inside(operation.indices[i].value, tensor->dims[i])) continue;
    prelude_.use("u32");
    const Text index = element(operation.indices[i].value, at);
    also("(u32)" + (index.precedence < 15 ? "(" + index.text + ")" : index.text) + " < " +
         extent(tensor->dims[i]));
  }
  return text;
}

/// Whether neighbouring columns of the tile are neighbours in the tensor's last axis.
bool Emitter::columns_adjacent(const ir::Operation& operation, ir::AxisId column) const {
  const auto direct = direct_axis(operation, column);
  if (!direct || *direct + 1 != operation.indices.size()) return false;
  if (kernel_.may_leave(operation, *direct) ||
      !starts_aligned(operation, *direct, kernel_.layout.vector))
    return false;
  for (const ir::Index& index : operation.indices)
    if (index.kind == IndexSpec::Kind::gather && column_of(index.value) >= 0) return false;
  return true;
}

void Emitter::load_fragment(const ir::Operation& operation) {
  const ValueId value = operation.results[0];
  const Argument* tensor = kernel_.find_argument(operation.name);
  const ir::AxisId row = row_of(value), column = column_of(value);
  const std::string& name = plan_.variable(value);
  const std::string base = tensor_base(operation);
  const bool whole = base.find(' ') == std::string::npos;  // the argument itself
  const std::string from = whole ? base : plan_.fresh(plan_.argument(operation.name) + "_from");
  prelude_.use("unroll");
  if (row < 0 && column < 0) {
    const std::string type = is_floating(tensor->dtype) ? "const float " : "const int ";
    paragraph(operation, (declares(value) ? type : "") + name + " = " +
                             widened("*(" + base + ")", tensor->dtype) + ";");
    return;
  }
  if (declares(value)) paragraph(operation, declaration(value, ";"));
  if (!whole) out_.line("const auto* " + from + " = " + base + ";");
  const int vector = kernel_.layout.vector, rows = kernel_.layout.rows_per_thread;
  const auto both = [](const std::string& a, const std::string& b) {
    return a.empty() ? b : b.empty() ? a : a + " && " + b;
  };
  if (kernel_.aligned && column >= 0 && vector > 1 && columns_adjacent(operation, column)) {
    // Neighbouring columns are neighbours in memory: one vector per row slot.
    require_aligned(operation, column);
    prelude_.use("load_row");
    const int count = columns_per_thread(column);
    const std::string j = count == 1 ? "0" : "j";
    const At at{.j = j, .i = "", .r = rows == 1 ? "0" : "r", .v = "0"};
    const std::string stored = is_half(tensor->dtype) ? std::string(tilewright::name(tensor->dtype))
                               : tensor->dtype == DType::f32 ? "float"
                                                             : "int";
    std::string guard = both(row >= 0 ? inside(row, at) : "", picked_inside(operation, at));
    if (axis(column).before > 0) guard = both(guard, index_text(column, at).text + " >= 0");
    const std::string left = neighbours_left(column, at);
    out_.open(over_columns(count) + (row >= 0 && rows > 1 ? "unroll for (int r = 0; r < " +
                                                                std::to_string(rows) + "; ++r) {"
                                                          : "{"));
    out_.line(stored + " stored[" + std::to_string(vector) + "];");
    out_.line("load_row(stored, " + from + " + " + element_offset(operation, at, true) + ", " +
              (guard.empty() ? left : guard + " ? " + left + " : 0") + ");");
    const std::string slot = row >= 0 && rows > 1 ? std::to_string(vector) + " * r + i" : "i";
    out_.line("unroll for (int i = 0; i < " + std::to_string(vector) + "; ++i) " + name + "[" + j +
              "][" + slot + "] = " + widened("stored[i]", tensor->dtype) + ";");
    out_.close();
    return;
  }
  const At at = each(value);
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
