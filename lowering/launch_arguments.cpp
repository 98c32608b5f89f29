// See launch_arguments.hpp.
#include "launch_arguments.hpp"

#include <algorithm>
#include <cstdlib>

#include "plan_errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright {
namespace {

std::string list(const std::vector<std::int64_t>& numbers) {
  std::string text = "[";
  for (std::size_t i = 0; i < numbers.size(); ++i)
    text += (i ? ", " : "") + std::to_string(numbers[i]);
  return text + "]";
}

/// Whether the axes, outermost first, step past everything the inner ones reach: then no two
/// elements share an address. Most tensors are so, and need no sorting.
bool are_nested(const TensorView& view) {
  std::int64_t reach = 0;
  for (std::size_t i = view.extents.size(); i-- > 0;) {
    if (view.extents[i] <= 1) continue;
    const std::int64_t stride = std::abs(view.strides[i]);
    if (stride <= reach) return false;
    reach += stride * (view.extents[i] - 1);
  }
  return true;
}

/// No two elements of an output share an address. Sufficient and, for nested strides, necessary:
/// with the axes by growing stride, each must step past everything the smaller ones reach.
void refuse_overlap(const std::string& name, const TensorView& view) {
  if (are_nested(view)) return;
  std::vector<std::pair<std::int64_t, std::int64_t>> axes;  // |stride|, extent
  for (std::size_t i = 0; i < view.extents.size(); ++i)
    if (view.extents[i] > 1) axes.emplace_back(std::abs(view.strides[i]), view.extents[i]);
  std::sort(axes.begin(), axes.end());
  std::int64_t reach = 0;
  for (const auto& [stride, extent] : axes) {
    if (stride <= reach)
      throw Error(errors::plan["output-overlaps-itself"],
                  "output '" + name + "': its strides let elements overlap",
                  {.argument = name,
                   .value = list(view.strides) + " for extents " + list(view.extents),
                   .allowed = "strides that give every element an address of its own"});
    reach += stride * (extent - 1);
  }
}

}  // namespace

LaunchArguments::LaunchArguments(const Signature& signature, const std::vector<Binding>& given)
    : signature_(signature),
      values_(signature.slots().size()),
      extents_(signature.dimensions().size(), -1),
      from_(signature.dimensions().size(), nullptr) {
  for (std::size_t i = 0; i < extents_.size(); ++i) extents_[i] = signature.dimensions()[i].bound;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Binding& binding = given[i];
    // Mostly the caller's order is the signature's.
    const bool in_place = i < values_.size() && signature.slots()[i].name == binding.name;
    const int number = in_place ? static_cast<int>(i) : signature.slot(binding.name);
    if (number < 0 || signature.slots()[static_cast<std::size_t>(number)].temporary) {
      std::string known;
      for (const Signature::Slot& one : signature.slots())
        if (!one.temporary) known += (known.empty() ? "" : ", ") + one.name;
      throw Error(errors::plan["launch-argument-unknown"],
                  number < 0 ? signature.title + " has no argument of that name"
                             : "'" + binding.name + "' is a Temp: the plan gives it memory",
                  {.argument = binding.name, .value = binding.name, .allowed = known});
    }
    const Signature::Slot& slot = signature.slots()[static_cast<std::size_t>(number)];
    Value& value = values_[static_cast<std::size_t>(number)];
    if (slot.scalar != binding.is_number)
      throw Error(errors::plan["launch-argument-sort"],
                  "argument '" + binding.name + "' is a " + (slot.scalar ? "scalar" : "tensor"),
                  {.argument = binding.name,
                   .value = binding.is_number ? "a number" : "a tensor",
                   .allowed = slot.scalar ? "a number" : "a tensor"});
    if (value.given)
      throw Error(errors::plan["launch-argument-twice"],
                  "argument '" + binding.name + "' is given twice",
                  {.argument = binding.name, .allowed = "once"});
    value.given = true;
    if (slot.scalar)
      value.number = binding.number;
    else
      take_tensor(slot, value, binding.tensor);
  }
  for (std::size_t i = 0; i < values_.size(); ++i) refuse_missing(i);
}

void LaunchArguments::refuse_missing(std::size_t number) const {
  const Signature::Slot& slot = signature_.slots()[number];
  if (slot.required && !slot.temporary && !values_[number].given)
    throw Error(errors::plan["launch-argument-missing"],
                signature_.title + " needs argument '" + slot.name + "'",
                {.argument = slot.name,
                 .value = "nothing",
                 .allowed = slot.scalar ? "a number" : "a tensor"});
  for (const int dim : slot.dims)
    if (extent(dim) < 0) {
      const std::string& name = signature_.dimension_name(dim);
      throw Error(errors::plan["extent-not-given"],
                  "no argument says the extent of dimension '" + name + "'",
                  {.argument = name,
                   .allowed = "a tensor with that dimension, such as '" + slot.name + "'"});
    }
}

void LaunchArguments::take_tensor(const Signature::Slot& slot, Value& value,
                                  const TensorView& view) {
  const std::string& name = slot.name;
  if (view.dtype != slot.dtype)
    throw Error(errors::plan["tensor-type-disagrees"],
                "tensor '" + name + "' has another element type than the kernel",
                {.argument = name,
                 .value = std::string(tilewright::name(view.dtype)),
                 .allowed = std::string(tilewright::name(slot.dtype))});
  if (view.extents.size() != slot.dims.size() || view.strides.size() != slot.dims.size()) {
    std::string dims;
    for (const int dim : slot.dims)
      dims += (dims.empty() ? "" : ", ") + signature_.dimension_name(dim);
    throw Error(errors::plan["tensor-rank-disagrees"],
                "tensor '" + name + "' has another number of dimensions than the kernel",
                {.argument = name, .value = list(view.extents), .allowed = "[" + dims + "]"});
  }
  bool empty = false;
  for (std::size_t i = 0; i < slot.dims.size(); ++i) {
    if (view.extents[i] < 0 || view.extents[i] > largest_extent)
      throw Error(errors::plan["tensor-extent-out-of-range"],
                  "tensor '" + name + "': extent of '" + signature_.dimension_name(slot.dims[i]) +
                      "' is out of range",
                  {.argument = name,
                   .value = std::to_string(view.extents[i]),
                   .allowed = "0 to " + std::to_string(largest_extent)});
    empty |= view.extents[i] == 0;
  }
  for (std::size_t i = 0; i < slot.dims.size(); ++i) {
    const auto dim = static_cast<std::size_t>(slot.dims[i]);
    if (extents_[dim] < 0) {
      extents_[dim] = view.extents[i];
      from_[dim] = &name;
    }
    if (extents_[dim] == view.extents[i]) continue;
    throw Error(errors::plan["extent-disagrees"],
                "dimension '" + signature_.dimension_name(slot.dims[i]) + "' has extent " +
                    std::to_string(view.extents[i]) + " in '" + name + "'",
                {.argument = name,
                 .value = std::to_string(view.extents[i]),
                 .allowed = std::to_string(extents_[dim]) + ", as in " +
                            (from_[dim] != nullptr ? "'" + *from_[dim] + "'"
                                                   : "the extents the kernel was compiled for")});
  }
  if (!empty && view.data == 0)
    throw Error(errors::plan["tensor-null"], "tensor '" + name + "' has a null address",
                {.argument = name, .value = "null", .allowed = "device memory"});
  if (view.data % static_cast<CUdeviceptr>(size_of(view.dtype)) != 0)
    throw Error(errors::plan["tensor-misaligned"],
                "tensor '" + name + "' does not start at an element boundary",
                {.argument = name,
                 .value = std::to_string(view.data),
                 .allowed = "a multiple of " + std::to_string(size_of(view.dtype)) + " bytes"});
  if (slot.written && !empty) refuse_overlap(name, view);
  value.data = view.data;
  value.strides = view.strides.data();
}

void LaunchArguments::place(const WorkspaceLayout& layout,
                            const std::vector<WorkspaceLayout::Piece>& pieces, CUdeviceptr base) {
  strides_.resize(layout.stride_count());
  std::int64_t* strides = strides_.data();
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    Value& value = values_[static_cast<std::size_t>(pieces[i].slot)];
    value.given = true;
    value.data = base + pieces[i].offset;
    value.bytes = pieces[i].bytes;
    value.strides = strides;
    strides += layout.strides(i, extents_, strides);
  }
}

}  // namespace tilewright
