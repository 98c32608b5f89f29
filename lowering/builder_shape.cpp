// Other names and cuts of an axis: blocks that go by a second name, halos around them, slices and
// parts of a whole dimension, and the values taken out of a tile or put one after another along a
// dimension. What they are to the user: dsl/view.hpp and dsl/shape.hpp.
#include <algorithm>

#include "builder.hpp"
#include "ir/verify.hpp"
#include "program_errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright {

namespace {

/// Steps and offsets stay so small that a product with an index's tile fits 32 bits.
constexpr int largest_step = 1 << 12, largest_offset = 1 << 30, largest_halo = 1 << 12;

}  // namespace

/// All of a dimension of `count` elements, or of a slice that goes by its name.
ir::AxisId Builder::axis_of_elements(const std::string& dim, int count) {
  const auto [known, fresh] =
      whole_axes_.try_emplace({dim, count}, static_cast<ir::AxisId>(kernel_.axes.size()));
  if (!fresh) return known->second;
  ir::Axis axis;
  axis.dim = dim;
  axis.kind = ir::Axis::Kind::whole;
  axis.tile = count;
  kernel_.axes.push_back(axis);
  return known->second;
}

/// The axis of a block by the name and with the halo that `spec` gives it.
ir::AxisId Builder::following_axis(ir::AxisId leader, const IndexSpec& spec,
                                   const Provenance& where) {
  const Selection& selection = spec.selection;
  const auto within = [&](const char* what, int number, int low, int high) {
    if (number < low || number > high)
      throw Error(errors::program["selection-out-of-range"],
                  std::string(what) + " of an index over '" + spec.dim + "' is out of range",
                  {what, std::to_string(number), std::to_string(low) + " … " + std::to_string(high),
                   to_string(where)});
  };
  within("step", selection.step, 1, largest_step);
  within("offset", selection.offset, -largest_offset, largest_offset);
  within("halo", selection.before, 0, largest_halo);
  within("halo", selection.after, 0, largest_halo);
  const bool grows = selection.before != 0 || selection.after != 0;
  if (spec.dim == kernel_.axes[static_cast<std::size_t>(leader)].dim && !grows) return leader;
  for (std::size_t i = 0; i < kernel_.axes.size(); ++i) {
    const ir::Axis& axis = kernel_.axes[i];
    if (axis.follows == leader && axis.dim == spec.dim && axis.before == selection.before &&
        axis.after == selection.after)
      return static_cast<ir::AxisId>(i);
  }
  ir::Axis axis;
  axis.dim = spec.dim;
  axis.kind = kernel_.axes[static_cast<std::size_t>(leader)].kind;
  axis.block = kernel_.axes[static_cast<std::size_t>(leader)].block;
  axis.follows = leader;
  axis.before = selection.before;
  axis.after = selection.after;
  kernel_.axes.push_back(axis);
  return static_cast<ir::AxisId>(kernel_.axes.size()) - 1;
}

/// The elements of `extent` ones of a dimension that a slice or a part of it names.
ir::Index Builder::cut(const IndexSpec& spec, std::int64_t extent, const Provenance& where) {
  const Selection& selection = spec.selection;
  std::int64_t step = 1, offset = selection.parts != 0 ? 0 : selection.offset, count = extent;
  const auto refuse = [&](const std::string& message, std::int64_t value, std::string allowed) {
    throw Error(errors::program["split-invalid"], message,
                {spec.of, std::to_string(value), std::move(allowed), to_string(where)});
  };
  if (selection.step != 1)
    throw Error(errors::program["step-over-whole-dimension"],
                "an index with a step over the whole of '" + spec.of + "'",
                {spec.of, std::to_string(selection.step),
                 "a step over a block, or split(D, H, 2)[i]", to_string(where)});
  if (selection.parts != 0) {
    const int parts = selection.parts;
    const std::string what = "split of '" + spec.of + "'";
    if (parts < 1) refuse(what + ": there must be parts", std::max(parts, 0), "at least 1");
    if (selection.part < 0 || selection.part >= parts)
      refuse(what + ": there is no such part", selection.part, "0 … " + std::to_string(parts - 1));
    if (extent % parts != 0)
      refuse(what + ": its extent does not divide into " + std::to_string(parts) + " parts", extent,
             "a multiple of " + std::to_string(parts));
    count = extent / parts;
    step = selection.interleaved ? parts : 1;
    offset = selection.interleaved ? selection.part : selection.part * count;
  } else if (selection.count != 0) {
    count = selection.count;
    if (offset < 0 || count < 1 || offset + count > extent)
      throw Error(errors::program["slice-out-of-range"],
                  "slice of '" + spec.of + "' leaves it: its extent is " + std::to_string(extent),
                  {spec.of,
                   "elements " + std::to_string(offset) + " … " +
                       std::to_string(offset + std::max<std::int64_t>(count, 0) - 1),
                   "at least one element, all of them within 0 … " + std::to_string(extent - 1),
                   to_string(where)});
  }
  ir::Index index;
  index.kind = IndexSpec::Kind::whole;
  index.axis = axis_of_elements(spec.dim, static_cast<int>(count));
  index.step = static_cast<int>(step);
  index.offset = static_cast<int>(selection.parts != 0 ? offset + selection.offset : offset);
  return index;
}

void Builder::announce(const IndexSpec& index, const Provenance& where) {
  resolved("as", {index}, where);
}

/// The axis named `dim` that follows `leader`, or -1.
ir::AxisId Builder::renamed_axis(std::string_view what, const std::string& dim, ir::AxisId leader,
                                 const Provenance& where) const {
  ir::AxisId found = -1;
  for (std::size_t i = 0; i < kernel_.axes.size(); ++i) {
    const ir::Axis& axis = kernel_.axes[i];
    if (axis.follows != leader || axis.dim != dim) continue;
    if (found >= 0)
      throw Error(errors::program["second-name-taken"],
                  std::string(what) + ": '" + dim + "' is the name of two halos of one block",
                  {dim, "", "a name for each", to_string(where)});
    found = static_cast<ir::AxisId>(i);
  }
  return found;
}

/// The slices that go by the name `dim`, if they have one extent, or -1.
ir::AxisId Builder::named_slice(std::string_view what, const std::string& dim,
                                const Provenance& where) const {
  ir::AxisId found = -1;
  for (const auto& [key, axis] : whole_axes_) {
    if (key.first != dim) continue;
    if (found >= 0)
      throw Error(errors::program["second-name-taken"],
                  std::string(what) + ": '" + dim + "' is the name of slices of different extents",
                  {dim,
                   std::to_string(kernel_.axes[static_cast<std::size_t>(found)].tile) + " and " +
                       std::to_string(key.second),
                   "a name for each", to_string(where)});
    found = axis;
  }
  return found;
}

/// Tiles with a halo overlap: two programs would write one element.
void Builder::must_not_overlap(const std::string& tensor, ir::AxisId id,
                               const Provenance& where) const {
  const ir::Axis& axis = kernel_.axes[static_cast<std::size_t>(id)];
  if (axis.before == 0 && axis.after == 0) return;
  throw Error(errors::program["store-through-halo"],
              "store to '" + tensor + "' through a halo over '" + axis.dim +
                  "': neighbouring tiles would write the same elements",
              {axis.dim, "", "a store of the block itself, or atomic_add", to_string(where)});
}

/// i32: step * index + offset along `axis`.
ValueId Builder::index_along(ir::AxisId axis, int step, int offset, const Provenance& where) {
  ir::Type type;
  type.dtype = i32;
  type.axes = {axis};
  ir::Operation index;
  index.op = Op::index;
  index.axis = axis;
  ValueId result = append(std::move(index), type, where);
  ir::Type scalar;
  scalar.dtype = i32;
  const auto with = [&](Op op, int number) {
    ir::Operation operation;
    operation.op = op;
    operation.operands = {result, filled(number, scalar, where)};
    result = append(std::move(operation), type, where);
  };
  if (step != 1) with(Op::mul, step);
  if (offset != 0) with(Op::add, offset);
  return result;
}

/// take(x, D, i), or a slice or part of x's dimension D.
ir::Operation Builder::taken(const Node& node, const Provenance& where) {
  const ValueId x = node.operands[0];
  ir::Operation operation;
  operation.op = Op::take;
  operation.axis = vanishing_axis(node, where);
  const ir::Axis axis = kernel_.axes[static_cast<std::size_t>(operation.axis)];
  operation.operands = node.operands;
  if (!node.indices.empty()) {
    const IndexSpec& spec = node.indices[0];
    if (axis.kind != ir::Axis::Kind::whole)
      throw Error(
          errors::program["part-of-dimension"],
          "a slice of a value along '" + axis.dim + "', of which it holds one tile of several",
          {axis.dim, "", "a dimension that is there as a whole", to_string(where)});
    const ir::Index index = cut(spec, axis.tile, where);
    operation.operands = {x, index_along(index.axis, index.step, index.offset, where)};
  }
  std::vector<ir::Index> meeting;
  for (const ValueId operand : operation.operands)
    for (const ir::AxisId id : at(operand).type.axes)
      if (operand != x || id != operation.axis)
        meeting.push_back({.kind = IndexSpec::Kind::whole, .axis = id});
  must_be_one_tiling({}, meeting, where);
  return operation;
}

ValueId Builder::concat(std::string_view dim, const std::vector<ConcatPart>& parts,
                        const Provenance& where) {
  const ir::AxisId whole = whole_axis(std::string(dim), "concat", where);
  const int extent = kernel_.axes[static_cast<std::size_t>(whole)].tile;
  struct Piece {
    ValueId value;
    ir::AxisId axis;
    int end;
  };
  std::vector<Piece> pieces;
  std::int64_t sum = 0;
  for (const ConcatPart& part : parts) {
    must_see(part.value, where);
    Node node;
    node.op = Op::take;
    node.operands = {part.value};
    node.axis = part.dim;
    const ir::AxisId id = vanishing_axis(node, where);
    const ir::Axis& axis = kernel_.axes[static_cast<std::size_t>(id)];
    if (axis.kind != ir::Axis::Kind::whole)
      throw Error(errors::program["part-of-dimension"],
                  "concat: a part holds one tile of several of '" + axis.dim + "'",
                  {axis.dim, "", "parts that are there as a whole", to_string(where)});
    sum += axis.tile;
    pieces.push_back({part.value, id, static_cast<int>(std::min<std::int64_t>(sum, 1 << 30))});
  }
  if (sum != extent)
    throw Error(errors::program["concat-extent-disagrees"],
                "concat: the parts have " + std::to_string(sum) + " elements, '" +
                    std::string(dim) + "' has " + std::to_string(extent),
                {std::string(dim), std::to_string(sum), std::to_string(extent), to_string(where)});
  const auto put = [&](Op op, std::vector<ValueId> operands, ir::AxisId axis) {
    ir::Operation operation;
    operation.op = op;
    operation.operands = std::move(operands);
    operation.axis = axis;
    // Dimensions in the order of the parts, not of the condition between them.
    ir::Type type =
        op == Op::select ? at(operation.operands[1]).type : *ir::infer_type(kernel_, operation);
    return append(std::move(operation), std::move(type), where);
  };
  ir::Type number;
  number.dtype = i32;
  const ValueId index = index_along(whole, 1, 0, where);
  ValueId result = no_value;
  for (std::size_t k = pieces.size(); k-- > 0;) {
    const Piece& piece = pieces[k];
    const int first = k == 0 ? 0 : pieces[k - 1].end;
    std::vector<ir::Index> meeting{{.kind = IndexSpec::Kind::whole, .axis = whole}};
    for (const ir::AxisId id : at(piece.value).type.axes)
      if (id != piece.axis) meeting.push_back({.kind = IndexSpec::Kind::whole, .axis = id});
    if (result != no_value)
      for (const ir::AxisId id : at(result).type.axes)
        meeting.push_back({.kind = IndexSpec::Kind::whole, .axis = id});
    must_be_one_tiling({}, meeting, where);
    const ValueId part =
        put(Op::take, {piece.value, index_along(whole, 1, -first, where)}, piece.axis);
    if (result == no_value) {
      result = part;
      continue;
    }
    const ValueId here = put(Op::lt, {index, filled(piece.end, number, where)}, -1);
    result = put(Op::select, {here, part, result}, -1);
  }
  return result;
}

}  // namespace tilewright
