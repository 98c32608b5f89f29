// take(x, D, i): from another register of the thread, or through shared memory.
#include "emit/emitter.hpp"
#include "ir/take_path.hpp"

namespace tilewright::emit {

/// The source of a take that stays in registers. Both tiles have the same rows, and column c of the
/// result is column c + `moved` of the source, `moved` a multiple of what j counts.
Text Emitter::taken(const ir::Operation& take, const At& at) {
  const ir::Operation* picks = plan_.definition(take.operands[1]);
  int moved = 0;
  if (picks->op != Op::index) {
    const auto number = static_cast<int>(plan_.definition(picks->operands[1])->constant);
    moved = picks->op == Op::add ? number : -number;
    picks = plan_.definition(picks->operands[0]);
  }
  const int step = kernel_.layout.lanes_per_row * kernel_.layout.vector;
  const ir::Axis& source = axis(take.axis);
  const int steps = moved / step, held = source.padded / step,
            asked = axis(picks->axis).padded / step;
  At from = at;
  const bool simple = at.j.find(' ') == std::string::npos;
  const bool literal = at.j.find_first_not_of("0123456789") == std::string::npos;
  if (steps != 0)
    from.j = literal ? std::to_string(std::stoi(at.j) + steps)
                     : (simple ? at.j : "(" + at.j + ")") + (steps < 0 ? " - " : " + ") +
                           std::to_string(std::abs(steps));
  const Text x = element(take.operands[0], from);
  const bool all_held = steps >= 0 && asked + steps <= held;
  if (all_held && (take.axis == picks->axis || source.padded == source.tile)) return x;
  std::string guard;
  if (source.kind == ir::Axis::Kind::whole && source.padded != source.tile) {
    prelude_.use("u32");
    const Text index = element(take.operands[1], at);
    guard = "(u32)(" + index.text + ") < " + std::to_string(source.tile);
  } else {
    prelude_.use("u32");
    guard = "(u32)(" + from.j + ") < " + std::to_string(held);
  }
  return {guard + " ? " + (x.precedence < 3 ? "(" + x.text + ")" : x.text) + " : 0", 2};
}

/// Those who hold the tile write it, then each reads where its indices say.
void Emitter::take_through_shared(const ir::Operation& take) {
  const ValueId x = take.operands[0], result = take.results[0], buffer = take.operands[2];
  const ir::Value& kept = kernel_.values[static_cast<std::size_t>(buffer)];
  const bool floating = is_floating(kept.type.dtype);
  const std::string shared =
      once("words of " + std::to_string(buffer), kept.name + "_shared", "auto",
           "(" + std::string(floating ? "float" : "int") + "*)(shared" +
               (kept.place.offset == 0 ? "" : " + " + std::to_string(kept.place.offset)) + ")");
  const std::string pitch = std::to_string(kept.place.row_chunks * 4);
  const auto place = [&](const std::string& first, const std::string& second) {
    if (second.empty()) return shared + "[" + first + "]";
    const bool simple = first.find(' ') == std::string::npos;
    return shared + "[" + (simple ? first : "(" + first + ")") + " * " + pitch + " + " + second +
           "]";
  };
  prelude_.use("unroll");
  prelude_.use("u32");
  rows_as(x);
  const ir::AxisId row = row_of(x), column = column_of(x);
  const std::string sync = ir::stays_in_warp(kernel_, take) ? "__syncwarp();" : "__syncthreads();";
  const At own = each(x);
  const auto at_own = [&](std::size_t which) { return within_tile(kept.type.axes[which], own); };
  std::string holder;  // of several threads with the same element one writes
  if (row < 0 && kernel_.layout.row_axis >= 0) holder = "if (row == 0) ";
  if (column < 0) holder = "if (lane % " + std::to_string(kernel_.layout.lanes_per_row) + " == 0) ";
  const auto write = [&] {
    out_.line(sync, "what was taken before has been read");
    out_.line(holder + over_elements(x, own,
                                     place(at_own(0), kept.type.axes.size() > 1 ? at_own(1) : "") +
                                         " = " + element(x, own).text + ";"));
    out_.line(sync);
  };
  rows_as(result);
  paragraph(take, declaration(result, ";"));
  rows_as(x);
  if (!take.masked) write();
  rows_as(result);
  const At at = each(result);
  const std::string start = block_start(take.axis);
  const Text index = element(take.operands[1], at);
  const std::string picked =
      start.empty()
          ? index.text
          : (index.precedence < 12 ? "(" + index.text + ")" : index.text) + " - (" + start + ")";
  const auto at_picked = [&](std::size_t which) {
    return kept.type.axes[which] == take.axis ? "at" : within_tile(kept.type.axes[which], at);
  };
  const std::string read = "(u32)at < " + std::to_string(axis(take.axis).tile) + " ? " +
                           place(at_picked(0), kept.type.axes.size() > 1 ? at_picked(1) : "") +
                           " : 0";
  out_.line(over_elements(result, at,
                          "{ const int at = " + picked + ";  " + plan_.variable(result) +
                              subscript(result, at) + " = " + read + "; }"));
}

}  // namespace tilewright::emit
