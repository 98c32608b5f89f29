// Products of f32 on the tensor cores: each operand is split into two TF32 numbers, and the three
// products that matter in f32 are added, small ones first (Ootomo and Yokota 2022, arXiv
// 2203.03341, section 3, without its scaling: exponents are those of f32 here).
//
// Where the schedule asks for TF32 (Operation::tf32) both operands are rounded and multiplied once.
//
// A contraction may be taken in any order, as long as both sides take the same. An accumulator
// fragment holds columns 2t and 2t + 1 of every 8 (PTX ISA, "Matrix Fragments for mma.m16n8k8"),
// and as a left operand it keeps them: the right operand is then read in that order too.
#include <array>

#include "emit/emitter.hpp"

namespace tilewright::emit {

void Emitter::products_of_f32(const ir::Operation& dot) {
  const ValueId value = dot.results[0], left = dot.operands[0], right = dot.operands[1];
  for (const char* verb : {"u32", "unroll"}) prelude_.use(verb);
  for (const char* verb :
       dot.tf32 ? std::array{"to_tf32", "mma_tf32"} : std::array{"split", "mma_f32"})
    prelude_.use(verb);
  const auto buffer_of = [&](ValueId operand) {
    const ir::Operation* read = plan_.definition(operand);
    return read != nullptr && read->op == Op::operand_load ? read->operands[0] : no_value;
  };
  const auto pitch_of = [&](ValueId buffer) {
    return 16 * kernel_.values[static_cast<std::size_t>(buffer)].place.row_chunks;
  };
  // A lane's address in a buffer, at the stage in use.
  const auto lane_at = [&](ValueId buffer, const std::string& use, const std::string& offset) {
    const std::string base = once("f32 lane of " + std::to_string(buffer) + use,
                                  kernel_.values[static_cast<std::size_t>(buffer)].name + "_at",
                                  "u32", buffer_address(buffer) + " + " + offset);
    const auto stage = stage_of_.find(buffer);
    return stage == stage_of_.end() ? base : base + " + " + stage->second;
  };
  const auto load = [&](const std::string& at) {
    prelude_.use("load4");
    return "load4(" + at + ")";
  };
  const auto contracted_last = [&](ValueId operand) {
    return kernel_.type(operand).axes[1] == dot.axis;
  };

  const int steps = axis(dot.axis).padded / 8, columns = columns_per_thread(column_of(value));
  const ValueId left_buffer = buffer_of(left), right_buffer = buffer_of(right);
  const bool computed = left_buffer == no_value;
  if (f32_left_.empty()) f32_left_ = plan_.fresh("x");
  const std::string& whole = f32_left_;
  out_.open("unroll for (int step = 0; step < " + std::to_string(steps) + "; ++step) {");
  if (computed) {
    const auto x = [&](int slot) {
      return element(left, element_at("step", std::to_string(slot))).text;
    };
    out_.line("const float " + whole + "[4] = {" + x(0) + ", " + x(2) + ", " + x(1) + ", " + x(3) +
              "};");
  } else if (contracted_last(left)) {
    const std::string pitch = std::to_string(pitch_of(left_buffer));
    const std::string at =
        lane_at(left_buffer, "l", "(16 * warp + lane / 4) * " + pitch + " + lane % 4 * 4");
    const auto x = [&](const std::string& further) { return load(at + " + 32 * step" + further); };
    out_.line("const float " + whole + "[4] = {" + x("") + ", " + x(" + 8 * " + pitch) + ", " +
              x(" + 16") + ", " + x(" + 16 + 8 * " + pitch) + "};");
  } else {
    const std::string pitch = std::to_string(pitch_of(left_buffer));
    const std::string at =
        lane_at(left_buffer, "lt", "lane % 4 * " + pitch + " + (16 * warp + lane / 4) * 4");
    const auto x = [&](const std::string& step, const std::string& row) {
      return load(at + row + " + " + pitch + " * " + step);
    };
    out_.line("const float " + whole + "[4] = {" + x("(8 * step)", "") + ", " +
              x("(8 * step)", " + 32") + ", " + x("(8 * step + 4)", "") + ", " +
              x("(8 * step + 4)", " + 32") + "};");
  }
  out_.line(dot.tf32 ? "u32 lhs[4];  to_tf32(lhs, " + whole + ");"
                     : "u32 lhs[4], lhs_low[4];  split(lhs, lhs_low, " + whole + ");");

  const std::string pitch = std::to_string(pitch_of(right_buffer));
  std::string first, second;
  if (contracted_last(right)) {
    const std::string at =
        lane_at(right_buffer, computed ? "rp" : "r",
                "lane / 4 * " + pitch + " + lane % 4 * " + (computed ? "8" : "4")) +
        " + 32 * step + " + pitch + " * 8 * j";
    first = load(at);
    second = load(at + (computed ? " + 4" : " + 16"));
  } else {
    const std::string at =
        lane_at(right_buffer, computed ? "rtp" : "rt",
                (computed ? "lane % 4 * 2 * " : "lane % 4 * ") + pitch + " + lane / 4 * 4") +
        " + 32 * j + " + pitch + " * (8 * step";
    first = load(at + ")");
    second = load(at + (computed ? " + 1)" : " + 4)"));
  }
  out_.open("unroll for (int j = 0; j < " + std::to_string(columns) + "; ++j) {");
  const std::string pair = "const float " + std::string(dot.tf32 ? "from" : "rhs") + "[2] = {" +
                           first + ", " + second + "};",
                    sum = plan_.variable(value) + "[j], lhs, ";
  out_.line(pair);
  if (dot.tf32)
    out_.line("u32 rhs[2];  to_tf32(rhs, from);  mma_tf32(" + sum + "rhs);");
  else
    out_.line("mma_f32(" + sum + "lhs_low, rhs);");
  out_.close("} }", 2);
}

}  // namespace tilewright::emit
