// Extents, loads, stores and visibility of one interpreted program (program_state.hpp).
#include "ir/program_state.hpp"

#include "ir/errors.hpp"
#include "ir/flattened.hpp"

namespace tilewright::ir {

void ProgramState::set_extent(const std::string& dim, std::int64_t extent, const std::string& by) {
  const auto [found, fresh] = extents_.emplace(dim, extent);
  if (!fresh && found->second != extent)
    refuse(errors::ir["interpreter-shape-disagrees"], "extents of dimension '" + dim + "' disagree",
           {by, std::to_string(extent), std::to_string(found->second), ""});
}

void ProgramState::resolve_extents() {
  for (const auto& [dim, extent] : kernel_.bound) set_extent(dim, extent, "bound at compile");
  for (const auto& [dim, extent] : inputs_.extents) set_extent(dim, extent, "extents");
  for (const Argument& argument : kernel_.arguments) {
    if (argument.kind == Argument::Kind::scalar) {
      if (!inputs_.scalars.contains(argument.name) && !options_.partial)
        refuse(errors::ir["interpreter-input-missing"], "a scalar is missing",
               {argument.name, "nothing", std::string(name(argument.dtype)), ""});
      continue;
    }
    const auto found = inputs_.tensors.find(argument.name);
    if (found == inputs_.tensors.end()) {
      if (argument.kind == Argument::Kind::out || options_.partial) continue;
      refuse(errors::ir["interpreter-input-missing"], "a tensor is missing",
             {argument.name, "nothing", std::string(name(argument.dtype)), ""});
    }
    const HostTensor& tensor = found->second;
    if (tensor.dtype != argument.dtype)
      refuse(
          errors::ir["interpreter-type-disagrees"],
          "'" + argument.name + "' has another element type",
          {argument.name, std::string(name(tensor.dtype)), std::string(name(argument.dtype)), ""});
    if (tensor.shape.size() != argument.dims.size())
      refuse(errors::ir["interpreter-shape-disagrees"],
             "'" + argument.name + "' has another number of axes",
             {argument.name, std::to_string(tensor.shape.size()),
              std::to_string(argument.dims.size()), ""});
    for (std::size_t i = 0; i < argument.dims.size(); ++i)
      set_extent(argument.dims[i], tensor.shape[i], argument.name);
  }
}

std::int64_t ProgramState::extent(const std::string& dim) const {
  if (is_flattened(dim))
    return extent_by_parts(dim, [this](const std::string& part) { return extent(part); });
  const auto found = extents_.find(dim);
  if (found == extents_.end())
    refuse(errors::ir["interpreter-input-missing"], "the extent of a dimension is not known",
           {dim, "nothing", "a tensor with this dimension, or an extent", ""});
  return found->second;
}

std::int64_t ProgramState::tile_size(AxisId id) const {
  const Axis& a = axis(id);
  if (a.follows >= 0) return tile_size(a.follows) + a.before + a.after;
  if (a.kind == Axis::Kind::whole) return a.tile > 0 ? a.tile : extent(a.dim);
  if (a.tile > 0) return a.tile;
  return a.requested_tile > 0 ? a.requested_tile : options_.default_tile;
}

std::int64_t ProgramState::elements_along(AxisId id) const {
  return axis(id).kind == Axis::Kind::whole ? tile_size(id) : extent(kernel_.counted_along(id));
}

std::int64_t ProgramState::tiles_along(AxisId id) const {
  const std::int64_t tile = tile_size(id);
  return (extent(axis(id).dim) + tile - 1) / tile;
}

std::int64_t ProgramState::programs_along(const Operation& operation) const {
  if (operation.op == Op::each) return extent(operation.name);
  for (std::size_t i = 0; i < kernel_.axes.size(); ++i)
    if (kernel_.axes[i].block == operation.results[0]) return tiles_along(static_cast<AxisId>(i));
  refuse(errors::ir["kernel-inconsistent"], "a block number without an axis",
         {operation.name, "", "", ""});
}

std::int64_t ProgramState::start_of(AxisId id) const {
  const Axis& a = axis(id);
  return a.kind == Axis::Kind::whole ? 0
                                     : scalar(a.block) * tile_size(kernel_.leader(id)) - a.before;
}

TileData ProgramState::empty(const Type& type) const {
  std::vector<std::int64_t> shape;
  for (const AxisId id : type.axes) shape.push_back(tile_size(id));
  return TileData(type.dtype, type.axes, std::move(shape));
}

const TileData& ProgramState::tile(ValueId value) const {
  if (!values_[at(value)])
    refuse(errors::ir["kernel-inconsistent"], print_value(kernel_, value) + " has no value here",
           {print_value(kernel_, value), "", "", ""});
  return *values_[at(value)];
}

TilePointer ProgramState::visibility(const Operation& op) const {
  TilePointer visible;
  if (op.masked) {
    if (op.op == Op::reduce_argmax && op.operands.size() > 1 &&
        kernel_.type(op.operands[1]).kind == Type::Kind::tile && !(op.cut_only && in_full_tile()))
      visible = share(tile(op.operands[1]));
    return visible;
  }
  for (const Running& loop : running_)
    if (loop.axis == op.axis) visible = loop.visible;
  const std::int64_t first = start_of(op.axis);
  const std::int64_t size = tile_size(op.axis);
  const std::int64_t limit = elements_along(op.axis);
  if (first >= 0 && first + size <= limit) return visible;
  TileData inside(DType::b1, {op.axis}, {size});
  for (std::int64_t i = 0; i < size; ++i)
    inside.integers[static_cast<std::size_t>(i)] = first + i >= 0 && first + i < limit;
  if (!visible) return share(std::move(inside));
  std::vector<AxisId> axes = visible->axes;
  std::vector<std::int64_t> shape = visible->shape;
  if (visible->find(op.axis) < 0) {
    axes.push_back(op.axis);
    shape.push_back(size);
  }
  const TileData a = broadcast(*visible, axes, shape);
  const TileData b = broadcast(inside, axes, shape);
  return share(apply(Op::logical_and, DType::b1, {&a, &b}));
}

TileData ProgramState::load(const Operation& op, const Type& type) const {
  const HostTensor& tensor = inputs_.tensors.at(op.name);
  TileData made = empty(type);
  each_element(op, tensor, made, [&](std::size_t element, std::int64_t offset) {
    if (made.floating())
      made.floats[element] = static_cast<float>(tensor.get(offset));
    else
      made.integers[element] = static_cast<std::int64_t>(tensor.get(offset));
  });
  return made;
}

namespace {

void add(HostTensor& tensor, std::int64_t offset, const TileData& value, std::size_t element) {
  if (value.floating())
    return tensor.set(offset, static_cast<float>(tensor.get(offset)) + value.floats[element]);
  const auto sum = static_cast<std::uint64_t>(static_cast<std::int64_t>(tensor.get(offset))) +
                   static_cast<std::uint64_t>(value.integers[element]);
  tensor.set(offset, static_cast<std::int32_t>(sum));
}

}  // namespace

void ProgramState::store(const Operation& op) {
  const auto found = inputs_.tensors.find(op.name);
  if (found == inputs_.tensors.end()) return;
  const TileData& value = tile(op.operands[0]);
  TileData shown;
  if (op.masked) {
    for (std::size_t i = 1; i < op.operands.size(); ++i)
      if (kernel_.type(op.operands[i]).kind == Type::Kind::tile && !(op.cut_only && in_full_tile()))
        shown = broadcast(tile(op.operands[i]), value.axes, value.shape);
  } else {
    for (const Running& loop : running_) {
      if (!loop.visible || value.find(loop.axis) < 0) continue;
      for (const AxisId id : loop.visible->axes)
        if (value.find(id) < 0)
          refuse(errors::ir["mask-axis-missing"],
                 "a store under a mask of a tile that lacks an axis of the mask",
                 {op.name, "", "", to_string(op.where)});
      TileData mask = broadcast(*loop.visible, value.axes, value.shape);
      shown = shown.size() ? apply(Op::logical_and, DType::b1, {&shown, &mask}) : mask;
    }
  }
  HostTensor& tensor = found->second;
  each_element(op, tensor, value, [&](std::size_t element, std::int64_t offset) {
    if (!shown.integers.empty() && shown.integers[element] == 0) return;
    if (op.op == Op::atomic_add) return add(tensor, offset, value, element);
    tensor.set(offset, value.floating() ? value.floats[element]
                                        : static_cast<double>(value.integers[element]));
  });
}

std::int64_t ProgramState::symbol(const std::string& text) const {
  const std::size_t open = text.find('(');
  const std::string function = text.substr(0, open);
  const std::string of = text.substr(open + 1, text.size() - open - 2);
  if (function == "extent") return extent(of);
  if (function == "scalar") return static_cast<std::int64_t>(inputs_.scalars.at(of));
  if (function == "value") return scalar(static_cast<ValueId>(std::stol(of)));
  for (std::size_t i = 0; i < kernel_.axes.size(); ++i) {
    const auto id = static_cast<AxisId>(i);
    if (kernel_.axes[i].dim != of || kernel_.axes[i].follows >= 0) continue;
    if (function == "tile") return tile_size(id);
    const bool outer = kernel_.axes[i].kind == Axis::Kind::grid ||
                       std::any_of(running_.begin(), running_.end(),
                                   [&](const Running& loop) { return loop.axis == id; });
    if (!outer) continue;
    const std::int64_t first = start_of(id);
    if (function == "first") return first;
    if (function == "last") return std::min(first + tile_size(id), extent(of)) - 1;
  }
  refuse(errors::ir["kernel-inconsistent"], "a domain names what is not known", {text, "", "", ""});
}

std::pair<bool, bool> ProgramState::seen(const TileData& visible) const {
  std::vector<std::int64_t> left;
  for (const AxisId id : visible.axes)
    left.push_back(std::min(tile_size(id), elements_along(id) - start_of(id)));
  bool any = false;
  bool all = true;
  std::vector<std::int64_t> index(left.size(), 0);
  for (std::size_t element = 0; element < visible.size(); ++element) {
    bool inside = true;
    for (std::size_t i = 0; i < index.size(); ++i)
      inside = inside && index[i] < left[i] && start_of(visible.axes[i]) + index[i] >= 0;
    if (inside) (visible.integers[element] ? any : all) = visible.integers[element] != 0;
    for (std::size_t i = index.size(); i-- > 0;) {
      if (++index[i] < visible.shape[i]) break;
      index[i] = 0;
    }
  }
  return {any, all};
}

}  // namespace tilewright::ir
