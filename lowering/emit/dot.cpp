// Tensor-core products: both operands reach mma.m16n8k16 as fragments, from shared memory through
// ldmatrix or packed from registers (an accumulator fragment of 16 columns is a left fragment as it
// is: PTX ISA, "Matrix Fragments for mma.m16n8k16").
#include "emit/emitter.hpp"
#include "tilewright/error.hpp"

namespace tilewright::emit {

std::string along_row(const std::string& base, const ir::Place& place, int factor,
                      const std::string& counter, int count) {
  const std::string bytes = std::to_string(16 * factor) + " * ";
  const int period = 8 / factor;  // the permutation takes three bits; what lies above them is added
  if (place.swizzle == 0) return base + " + " + bytes + counter;
  if (count <= period) return "(" + base + " ^ " + bytes + counter + ")";
  return "(" + base + " ^ " + bytes + "(" + counter + " % " + std::to_string(period) +
         ")) + 128 * (" + counter + " / " + std::to_string(period) + ")";
}

/// Where ldmatrix reads an operand: a lane's row and chunk are fixed once, the rest are constants.
Emitter::Operand Emitter::operand_at(const ir::Operation& dot, bool left) {
  const ValueId tile = dot.operands[left ? 0 : 1];
  const ir::Operation* read = plan_.definition(tile);
  const ValueId buffer = read->operands[0];
  const ir::Place& place = kernel_.values[static_cast<std::size_t>(buffer)].place;
  const ir::Type& type = kernel_.type(tile);
  const bool contracted_last = type.axes[1] == dot.axis;
  // A left operand wants rows along its own axis, a right operand columns; ldmatrix transposes
  // otherwise.
  Operand operand{.transposed = !contracted_last, .text = {}};
  std::string row, chunk;
  if (left) {
    row = contracted_last ? "16 * warp + lane % 16" : "lane % 8 + lane / 16 * 8";
    chunk = contracted_last ? "lane / 16" : "2 * warp + lane / 8 % 2";
  } else {
    row = contracted_last ? "lane / 16 * 8 + lane % 8" : "lane % 16";
    chunk = contracted_last ? "lane / 8 % 2" : "lane / 16";
  }
  prelude_.use("chunk_at");
  const std::string pitch = std::to_string(place.row_chunks);
  const std::string base =
      once("lane of " + std::to_string(buffer) + (left ? "l" : "r") + (contracted_last ? "" : "t"),
           kernel_.values[static_cast<std::size_t>(buffer)].name + "_at", "u32",
           buffer_address(buffer) + " + chunk_at<" + pitch + ">(" + row + ", " + chunk + ")");
  std::string here = base;
  if (const auto stage = stage_of_.find(buffer); stage != stage_of_.end())
    here = "(" + base + " + " + stage->second + ")";
  const std::string row_bytes = std::to_string(place.row_chunks * 16);
  const int steps = axis(dot.axis).padded / 16;
  if (left) {
    operand.text = contracted_last ? along_row(here, place, 2, "step", steps)
                                   : here + " + " + row_bytes + " * 16 * step";
  } else if (contracted_last) {
    operand.text = along_row(here, place, 2, "step", steps) + " + " + row_bytes + " * 8 * j";
  } else {
    operand.text = along_row(here, place, 1, "j", columns_per_thread(column_of(dot.results[0]))) +
                   " + " + row_bytes + " * 16 * step";
  }
  return operand;
}

/// One step's left fragment from shared memory.
std::string Emitter::read_left(const ir::Operation& dot, const std::string& into) {
  const Operand a = operand_at(dot, true);
  const std::string verb = a.transposed ? "ldmatrix_trans" : "ldmatrix";
  prelude_.use(verb);
  return verb + "(" + into + ", " + a.text + ");";
}

void Emitter::declare_kept(const ir::Operation& dot) {
  const ValueId left = dot.operands[0];
  if (kept_.contains(left)) return;
  const ValueId buffer = plan_.definition(left)->operands[0];
  kept_[left] = plan_.fresh(kernel_.values[static_cast<std::size_t>(buffer)].name + "_lhs");
  prelude_.use("u32");
  out_.line("u32 " + kept_[left] + "[" + std::to_string(axis(dot.axis).padded / 16) + "][4];",
            "the left operand of every tile, read once");
}

/// All steps' left fragments of a tile that stays in registers.
void Emitter::keep_operand(const ir::Operation& dot) {
  prelude_.use("unroll");
  out_.line("unroll for (int step = 0; step < " + std::to_string(axis(dot.axis).padded / 16) +
            "; ++step) " + read_left(dot, kept_.at(dot.operands[0]) + "[step]"));
}

void Emitter::dot(const ir::Operation& operation) {
  const ValueId value = operation.results[0], left = operation.operands[0];
  const DType dtype = kernel_.type(left).dtype;
  for (const char* verb : {"u32", "unroll"}) prelude_.use(verb);

  // The accumulator's first value.
  const bool accumulates = operation.operands.size() == 3;
  const bool declare = plan_.replaces(value) < 0;
  const At at = element_at("j", "i");
  if (!accumulates) {
    if (declare)
      paragraph(operation, declaration(value, " = {};"));
    else
      paragraph(operation,
                over_elements(value, at, plan_.variable(value) + subscript(value, at) + " = 0;"));
  } else {
    const std::string variable = plan_.variable(value) + subscript(value, at),
                      initial = element(operation.operands[2], at).text;
    if (declare) out_.line(declaration(value, ";"));
    std::string line = variable + " = " + initial + ";";
    if (initial.starts_with(variable + " * "))
      line = variable + " *= " + initial.substr(variable.size() + 3) + ";";
    if (initial == variable) line.clear();
    paragraph(operation, line.empty() ? line : over_elements(value, at, line));
  }

  if (dtype == DType::f32)
    products_of_f32(operation);
  else
    products_of_half(operation);
}

/// m16n8k16 over 16-bit operands.
void Emitter::products_of_half(const ir::Operation& operation) {
  const ValueId value = operation.results[0], left = operation.operands[0];
  const DType dtype = kernel_.type(left).dtype;
  const ir::Operation* left_read = plan_.definition(left);
  const bool from_shared = left_read != nullptr && left_read->op == Op::operand_load;
  const std::string mma = "mma_" + std::string(name(dtype));
  prelude_.use("ldmatrix");
  prelude_.use(mma);
  const int steps = axis(operation.axis).padded / 16,
            columns = columns_per_thread(column_of(value));
  const Operand b = operand_at(operation, false);
  out_.open("unroll for (int step = 0; step < " + std::to_string(steps) + "; ++step) {");
  std::string lhs = "lhs";
  if (const auto kept = kept_.find(left); kept != kept_.end()) {
    lhs = kept->second + "[step]";
  } else if (from_shared) {
    out_.line("u32 lhs[4];  " + read_left(operation, "lhs"));
  } else {
    const auto pair = [&](const std::string& j, int slot) {
      return packed(element(left, element_at(j, std::to_string(slot))),
                    element(left, element_at(j, std::to_string(slot + 1))), dtype);
    };
    // An accumulator's 16 columns, two by two, are a left operand's registers in this order.
    packing_ = true;
    out_.line("const u32 lhs[4] = {" + pair("2 * step", 0) + ", " + pair("2 * step", 2) + ",");
    out_.line("    " + pair("2 * step + 1", 0) + ", " + pair("2 * step + 1", 2) + "};");
    packing_ = false;
  }
  if (b.transposed) prelude_.use("ldmatrix_trans");
  const std::string target = plan_.variable(value);
  out_.open("unroll for (int j = 0; j < " + std::to_string(columns) + "; j += 2) {");
  out_.line(std::string("u32 rhs[4];  ldmatrix") + (b.transposed ? "_trans" : "") + "(rhs, " +
            b.text + ");");
  out_.line(mma + "(" + target + "[j], " + lhs + ", rhs[0], rhs[1]);  " + mma + "(" + target +
            "[j + 1], " + lhs + ", rhs[2], rhs[3]);");
  out_.close("} }", 2);
}

std::string Emitter::packed(const Text& low, const Text& high, DType dtype) {
  const std::string verb = "pack_" + std::string(name(dtype));
  prelude_.use(verb);
  return verb + "(" + low.text + ", " + high.text + ")";
}

}  // namespace tilewright::emit
