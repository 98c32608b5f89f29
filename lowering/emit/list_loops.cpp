// Loops over the tiles that a list names. Entries are read one round before their tile's copy
// starts, so no copy waits for its address: entries[k] is that of the tile k rounds on, the last of
// them is on its way.
#include "emit/emitter.hpp"
#include "ir/flattened.hpp"

namespace tilewright::emit {

Emitter::Bounds Emitter::list_bounds(const ir::Operation& loop) {
  const ir::Axis& tiled = axis(loop.axis);
  const std::string& block = plan_.variable(tiled.block);
  prelude_.use("tile_of");
  Bounds range;
  range.first = uniform(loop.indices[0].value);
  range.last = uniform(loop.indices[1].value);
  range.at = plan_.fresh(tiled.dim + "_at");
  range.entries = plan_.fresh(tiled.dim + "_entries");
  if (!loop.regions[0]->operations.empty()) range.cut = range.entries + "[0] < 0";
  const auto bound = ir::bound_extent(kernel_, tiled.dim);
  if (!bound || *bound % tiled.tile != 0)
    range.cut += (range.cut.empty() ? "" : " || ") + block + " >= " + extent(tiled.dim) + " / " +
                 std::to_string(tiled.tile);
  if (range.cut.empty()) range.cut = "false";
  return range;
}

/// The first entry, in front of the loop.
void Emitter::declare_entries(const ir::Operation& loop, const Bounds& range, int stages) {
  std::string none;
  for (int i = 0; i < stages; ++i) none += "0, ";
  const std::string list =
      parameter(Parameter::Kind::pointer, plan_.argument(loop.name), "const int*", loop.name);
  prelude_.use("i64");
  out_.line("int " + range.entries + "[" + std::to_string(stages + 1) + "] = {" + none +
                range.first + " < " + range.last + " ? " + list + "[" + range.first + " * " +
                stride(loop.name, 0) + "] : 0};",
            "of this tile, of those after it, read ahead");
}

void Emitter::next_entry(const ir::Operation& loop, const Bounds& range, int stages) {
  const std::string ahead = std::to_string(stages), place = range.at + " + " + ahead;
  out_.line((stages > 1 ? "unroll for (int i = 0; i < " + ahead + "; ++i) " + range.entries +
                              "[i] = " + range.entries + "[i + 1];"
                        : range.entries + "[0] = " + range.entries + "[1];"));
  out_.line(range.entries + "[" + ahead + "] = " + place + " < " + range.last + " ? " +
            plan_.argument(loop.name) + "[(" + place + ") * " + stride(loop.name, 0) + "] : 0;");
  out_.line("const int " + plan_.variable(axis(loop.axis).block) + " = tile_of(" + range.entries +
            "[0]);");
}

}  // namespace tilewright::emit
