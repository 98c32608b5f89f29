// Where the rows of a tile start when tiles of indices say so: any thread works it out for any row,
// from the row's number, so that rows move in 16-byte pieces (ir/row_addresses.hpp).
#include "emit/emitter.hpp"
#include "ir/flattened.hpp"

namespace tilewright::emit {

/// A coordinate of a flattened axis lies inside its dimension wherever the axis is inside its own.
bool Emitter::surely_inside(ValueId index, const std::string& dim) const {
  const auto coordinate = ir::coordinate_of(
      kernel_, [&](ValueId value) { return plan_.definition(value); }, index);
  return coordinate && coordinate->part == dim;
}

/// An element of a tile of indices read from memory, at the row whose address is written.
Text Emitter::load_at_row(const ir::Operation& load, const At& at) {
  const Argument* tensor = kernel_.find_argument(load.name);
  const std::string base = tensor_base(load), inside = picked_inside(load, at);
  const std::string read = widened((base.find(' ') == std::string::npos ? base : "(" + base + ")") +
                                       "[" + element_offset(load, at) + "]",
                                   tensor->dtype);
  return inside.empty() ? Text{read} : Text{inside + " ? " + read + " : 0", 2};
}

/// Writes what leads to the row numbered `r` of the tile, whose first row is number `start` along
/// its axis: `past_end` is what to do past the end, `outside` where an index lies outside its axis.
/// Gives how far the row lies from the tensor's first element, or from the block of columns.
std::string Emitter::row_offset(const ir::Operation& access, ir::AxisId rows,
                                const std::string& start, const std::string& past_end,
                                const std::string& outside) {
  const Argument* tensor = kernel_.find_argument(access.name);
  address_rows_ = rows;
  address_row_ = plan_.fresh(axis(rows).dim + "_at");
  out_.line("const int " + address_row_ + " = " + (start.empty() ? "r" : start + " + r") + ";");
  const ir::Axis& tiled = axis(rows);
  if (tiled.kind != ir::Axis::Kind::whole || tiled.padded != tiled.tile)
    out_.line("if (" + address_row_ + " >= " + extent(tiled.dim) + ") " + past_end + ";");
  std::string offset, guard;
  for (std::size_t i = 0; i < access.indices.size(); ++i) {
    const ir::Index& index = access.indices[i];
    std::string at;
    if (index.kind == IndexSpec::Kind::gather) {
      at = plan_.fresh(tensor->dims[i] + "_at");
      out_.line("const int " + at + " = " + element(index.value, {}).text + ";");
      if (!surely_inside(index.value, tensor->dims[i])) {
        prelude_.use("u32");
        guard += (guard.empty() ? "(u32)" : " || (u32)") + at + " >= " + extent(tensor->dims[i]);
      }
    } else if (index.kind != IndexSpec::Kind::scalar && index.axis == rows) {
      at = address_row_;
      if (tiled.dim != tensor->dims[i])
        guard += (guard.empty() ? "" : " || ") + at + " >= " + extent(tensor->dims[i]);
    } else {
      continue;
    }
    offset += (offset.empty() ? "" : " + ") + at + " * " + stride(access.name, i);
  }
  address_rows_ = -1;
  if (!guard.empty()) out_.line("if (" + guard + ") " + outside + ";");
  return offset;
}

/// One tile into one stage of its buffer, as copy() does, from rows that stand anywhere.
void Emitter::copy_rows(const ir::Operation& operation, const std::string& block,
                        const std::string& stage) {
  const ValueId buffer = operation.operands[0];
  const ir::Value& value = kernel_.values[static_cast<std::size_t>(buffer)];
  const ir::AxisId rows = value.type.axes[0], columns = value.type.axes[1];
  const ir::Axis &row = axis(rows), &column = axis(columns);
  const std::size_t column_axis = tensor_axis(operation, columns);
  const auto start_of = [&](ir::AxisId id) {
    const bool moving = id == moving_axis_;
    return moving ? block + " * " + std::to_string(axis(id).tile) : block_start(id);
  };
  const std::string& name = plan_.argument(operation.name);
  const auto named = base_.find(&operation);
  std::string from = named != base_.end() ? named->second : tensor_base(operation);
  const std::string across = start_of(columns);
  if (!across.empty()) from += " + " + across + " * " + stride(operation.name, column_axis);
  if (from.find(' ') != std::string::npos) {
    const std::string pointer = plan_.fresh(name + "_from");
    out_.line("const auto* " + pointer + " = " + from + ";");
    from = pointer;
  }
  const std::string row_at = plan_.fresh(name + "_row_at");
  out_.open("const auto " + row_at + " = [&](int r) -> decltype(" + from + ") {",
            remark(operation) + value.name + " = load(" + operation.name + ")  " +
                std::to_string(row.padded) + "x" + std::to_string(column.padded) + " " +
                std::string(tilewright::name(value.type.dtype)) + ", to shared memory");
  const std::string offset =
      row_offset(operation, rows, start_of(rows), "return nullptr", "return nullptr");
  out_.line("return " + from + " + " + offset + ";");
  out_.close("};");

  const int per_chunk = 16 / size_of(value.type.dtype), chunks = column.padded / per_chunk;
  const bool whole = column.kind == ir::Axis::Kind::whole, flips = operation.sign_of >= 0;
  const std::string left =
      whole ? std::to_string(column.tile) : extent(column.dim) + " - " + across;
  const std::string flip = flips ? uniform(operation.sign_of) + " < 0" : "false";
  const auto call = [&](const std::string& verb, const std::string& arguments) {
    prelude_.use(verb);
    out_.line(verb + "<" + std::to_string(row.padded) + ", " + std::to_string(chunks) + ", " +
              std::to_string(value.place.row_chunks) + ", " +
              std::to_string(kernel_.layout.threads()) + ">(" + buffer_address(buffer) +
              (stage.empty() ? "" : " + " + stage) + ", " + arguments + ", " + row_at + ");");
  };
  if (!kernel_.aligned || (flips && (!whole || column.tile % per_chunk != 0)))
    call("gather_rows",
         (kernel_.aligned ? "1" : stride(operation.name, column_axis)) + ", " + left + ", " + flip);
  else if (flips)
    call("copy_rows_signed", left + ", " + flip);
  else
    call("copy_rows", from + ", " + left);
  if (kernel_.aligned) require_aligned(operation, columns);
}

}  // namespace tilewright::emit
