// What the names of a trace mean: a dimension is the axis of the innermost loop over it, else of
// the grid, else all of it; a tensor's indices become axes and scalars. Every refusal here is the
// user's to read.
#include <algorithm>
#include <cctype>
#include <functional>
#include <limits>

#include "builder.hpp"
#include "ir/errors.hpp"
#include "ir/flattened.hpp"
#include "program_errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright {

void Builder::must_be_name(std::string_view what, std::string_view name,
                           const std::string& place) const {
  const auto letter = [](char c) {
    return std::isalpha(static_cast<unsigned char>(c)) || c == '_';
  };
  const bool good =
      !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
        return letter(c) || std::isdigit(static_cast<unsigned char>(c));
      });
  if (!good)
    throw Error(errors::program["not-an-identifier"],
                "the name of a " + std::string(what) + " must be an identifier",
                {std::string(what), "\"" + std::string(name) + "\"",
                 "letters, digits and underscores, not starting with a digit", place});
}

void Builder::must_be_dimension(std::string_view what, std::string_view dim,
                                const Provenance& where) const {
  std::set<std::string> all;
  for (const Argument& argument : kernel_.arguments)
    all.insert(argument.dims.begin(), argument.dims.end());
  for (const auto& [bound, extent] : extents_) all.insert(bound);
  std::string missing;
  for (const std::string& part : ir::parts_of(std::string(dim)))
    if (missing.empty() && !all.contains(part)) missing = part;
  if (missing.empty()) return;
  std::string list;
  for (const std::string& name : all) list += (list.empty() ? "" : ", ") + name;
  throw Error(errors::program["dimension-without-extent"],
              std::string(what) + ": no tensor of kernel '" + kernel_.name + "' has a dimension '" +
                  missing + "', and none is bound, so it has no extent",
              {std::string(dim), missing, list, to_string(where)});
}

bool Builder::is_bound(const std::string& dim) const {
  const auto parts = ir::parts_of(dim);
  return std::all_of(parts.begin(), parts.end(),
                     [&](const std::string& part) { return extents_.contains(part); });
}

/// Elements of a flattened dimension are numbered in 32 bits. What is not bound is checked at
/// launch.
void Builder::must_count(const std::string& dim, const Provenance& where) const {
  if (!ir::is_flattened(dim) || !is_bound(dim)) return;
  double count = 1;
  for (const std::string& part : ir::parts_of(dim)) count *= static_cast<double>(extents_.at(part));
  if (count > std::numeric_limits<int>::max())
    throw Error(errors::program["flattened-too-large"],
                "the flattened dimension '" + dim + "' has more elements than 32 bits number",
                {dim, std::to_string(static_cast<long long>(count)), "at most 2147483647",
                 to_string(where)});
}

/// index(M) where M is packed into the rows around it would be all of M: hardly what is meant.
void Builder::refuse_packed(std::string_view what, const std::string& dim,
                            const Provenance& where) const {
  const auto refuse = [&](const std::string& packed) {
    const auto parts = ir::parts_of(packed);
    if (parts.size() < 2 || std::find(parts.begin(), parts.end(), dim) == parts.end()) return;
    throw Error(
        errors::program["dimension-packed"],
        std::string(what) + ": dimension '" + dim + "' is packed in '" + packed + "' here",
        {dim, "", "the coordinate under the flattened dimension, index(GM[M])", to_string(where)});
  };
  for (const Frame& frame : frames_)
    if (frame.kind == Frame::Kind::blocks) refuse(frame.dim);
  for (const auto& [packed, axis] : grid_axes_) refuse(packed);
}

ir::AxisId Builder::whole_axis(const std::string& dim, const std::string& user,
                               const Provenance& where) {
  if (!is_bound(dim)) {
    // A slice that went by this name before has said how long it is; a launch must agree.
    if (const ir::AxisId slice = named_slice(user, dim, where); slice >= 0) {
      kernel_.bound[dim] = kernel_.axes[static_cast<std::size_t>(slice)].tile;
      return slice;
    }
    throw Error(errors::program["extent-not-bound"],
                user + " uses dimension '" + dim + "' whole, and its extent is not bound",
                {dim, "", "extents = {{" + dim + ", number}} when the kernel is compiled",
                 to_string(where)});
  }
  must_count(dim, where);
  return axis_of_elements(dim, *ir::bound_extent(kernel_, dim));
}

ir::AxisId Builder::axis_of(User user, std::string_view what, const std::string& dim,
                            const Provenance& where) {
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
    if (frame->kind != Frame::Kind::blocks) continue;
    if (frame->dim == dim) return frame->axis;
    if (const auto other = renamed_axis(what, dim, frame->axis, where); other >= 0) return other;
  }
  if (const auto found = grid_axes_.find(dim); found != grid_axes_.end()) return found->second;
  for (const auto& [name, leader] : grid_axes_)
    if (const auto other = renamed_axis(what, dim, leader, where); other >= 0) return other;
  if (!extents_.contains(dim) && !grid_.contains(dim))
    if (const auto slice = named_slice(what, dim, where); slice >= 0) return slice;
  must_be_dimension(what, dim, where);
  if (user == User::index) refuse_packed(what, dim, where);
  if (const auto found = grid_.find(dim); found != grid_.end() && !packed_.contains(dim))
    throw Error(errors::program["dimension-has-no-tile"],
                std::string(what) + ": dimension '" + dim +
                    "' has one program per index here (each at " + to_string(found->second) +
                    "), so it has no tile; use the value of each",
                {dim, "", "", to_string(where)});
  if (user == User::index && !is_bound(dim))
    throw Error(errors::program["index-outside-loop"],
                std::string(what) + " stands outside a loop over '" + dim + "'",
                {dim, "",
                 "blocks or for_blocks over '" + dim +
                     "' around it, or its extent bound when the " + "kernel is compiled",
                 to_string(where)});
  return whole_axis(dim, std::string(what), where);
}

ir::AxisId Builder::vanishing_axis(const Node& node, const Provenance& where) const {
  for (const ValueId operand : node.operands)
    for (const ir::AxisId axis : at(operand).type.axes)
      if (kernel_.axes[static_cast<std::size_t>(axis)].dim == node.axis) return axis;
  throw Error(errors::ir["kernel-inconsistent"],
              std::string(info(node.op).name) + ": no operand has the dimension [internal defect]",
              {node.axis, node.axis, "", to_string(where)});
}

std::vector<ir::Index> Builder::resolved(const std::string& tensor,
                                         const std::vector<IndexSpec>& indices,
                                         const Provenance& where) {
  std::vector<ir::Index> result;
  for (const IndexSpec& spec : indices) {
    ir::Index index;
    index.kind = spec.kind;
    switch (spec.kind) {
      case IndexSpec::Kind::scalar:
      case IndexSpec::Kind::gather:
        must_see(spec.value, where);
        index.value = spec.value;
        break;
      case IndexSpec::Kind::block: {
        must_see(spec.value, where);
        const auto axis = std::find_if(kernel_.axes.begin(), kernel_.axes.end(),
                                       [&](const ir::Axis& a) { return a.block == spec.value; });
        if (axis == kernel_.axes.end())
          throw Error(errors::ir["kernel-inconsistent"],
                      "a block of '" + spec.dim + "' numbers no axis [internal defect]",
                      {tensor, "", "", to_string(where)});
        index.axis =
            following_axis(static_cast<ir::AxisId>(axis - kernel_.axes.begin()), spec, where);
        index.step = spec.selection.step;
        index.offset = spec.selection.offset;
        break;
      }
      case IndexSpec::Kind::whole: {
        if (spec.of.empty()) {
          index.axis = whole_axis(spec.dim, "'" + tensor + "'", where);
          break;
        }
        const ir::Axis& all =
            kernel_.axes[static_cast<std::size_t>(whole_axis(spec.of, "'" + tensor + "'", where))];
        index = cut(spec, all.tile, where);
        break;
      }
    }
    result.push_back(index);
  }
  return result;
}

void Builder::must_be_one_tiling(const std::vector<ValueId>& values,
                                 const std::vector<ir::Index>& indices,
                                 const Provenance& where) const {
  std::map<std::string, ir::AxisId> seen;
  const auto meet = [&](ir::AxisId axis) {
    const std::string& dim = kernel_.axes[static_cast<std::size_t>(axis)].dim;
    const auto [entry, fresh] = seen.emplace(dim, axis);
    if (fresh || entry->second == axis) return;
    const ir::Axis &one = kernel_.axes[static_cast<std::size_t>(entry->second)],
                   &other = kernel_.axes[static_cast<std::size_t>(axis)];
    const bool slices = one.kind == ir::Axis::Kind::whole && other.kind == ir::Axis::Kind::whole;
    throw Error(errors::program["tilings-meet"],
                "two " + std::string(slices ? "extents" : "tilings") + " of dimension '" + dim +
                    "' meet in one expression",
                {dim, slices ? std::to_string(one.tile) + " and " + std::to_string(other.tile) : "",
                 slices ? "one extent; give a slice a name of its own, as<H>(slice(D, lo, count))"
                        : "tiles of one loop or grid over it; give the other a second name",
                 to_string(where)});
  };
  for (const ValueId value : values)
    for (const ir::AxisId axis : at(value).type.axes) meet(axis);
  for (const ir::Index& index : indices)
    if (index.kind == IndexSpec::Kind::gather)
      for (const ir::AxisId axis : at(index.value).type.axes) meet(axis);
    else if (index.kind != IndexSpec::Kind::scalar)
      meet(index.axis);
}

/// A Temp is an output of the kernel that writes it and an input of one that reads it. Both at once
/// would need an order between the programs of one launch, which there is not.
void Builder::settle_temporaries() {
  for (Argument& argument : kernel_.arguments) {
    if (!argument.temporary) continue;
    const ir::Operation *read = nullptr, *written = nullptr;
    const std::function<void(const ir::Region&)> visit = [&](const ir::Region& region) {
      for (const auto& operation : region.operations) {
        for (const auto& inner : operation->regions) visit(*inner);
        if (operation->name != argument.name || !operation->regions.empty()) continue;
        if (operation->op == Op::load) read = operation.get();
        for (const ir::Effect& effect : operation->effects())
          if (effect.kind == ir::Effect::Kind::write) written = operation.get();
      }
    };
    visit(kernel_.body);
    if (read != nullptr && written != nullptr)
      throw Error(errors::program["temp-read-and-written"],
                  "kernel '" + kernel_.name + "' writes the Temp '" + argument.name + "' at " +
                      to_string(written->where) + " and reads it",
                  {argument.name, "", "a Temp carries values from one kernel to a later one",
                   to_string(read->where)});
    argument.kind = written != nullptr ? Argument::Kind::out : Argument::Kind::in;
  }
}

std::string Builder::described(ValueId value) const {
  const ir::Value& known = at(value);
  return known.name.empty() ? "a value" : "'" + known.name + "'";
}

}  // namespace tilewright
