// See plan_transfers.hpp.
#include "plan_transfers.hpp"

#include <algorithm>

#include "plan_errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright {
namespace {

struct Range {
  std::size_t bytes = 0;
  bool dense = true;
};

const Signature::Slot& slot_of(const PlanState& state, int slot) {
  return state.signature.slots()[static_cast<std::size_t>(slot)];
}

/// The bytes of a tensor. Dense: by growing stride, each axis steps exactly over the smaller ones.
Range range_of(const PlanState& state, int number, const LaunchArguments& given) {
  const Signature::Slot& slot = slot_of(state, number);
  std::vector<std::pair<std::int64_t, std::int64_t>> axes;  // stride, extent
  Range range{.bytes = static_cast<std::size_t>(size_of(slot.dtype))};
  for (std::size_t i = 0; i < slot.dims.size(); ++i) {
    const std::int64_t extent = given.extent(slot.dims[i]);
    range.bytes *= static_cast<std::size_t>(extent);
    if (extent > 1) axes.emplace_back(given[number].strides[i], extent);
  }
  if (range.bytes == 0) return range;
  std::sort(axes.begin(), axes.end());
  std::int64_t step = 1;
  for (const auto& [stride, extent] : axes) {
    range.dense &= stride == step;
    step = stride * extent;
  }
  return range;
}

bool have_same_strides(const PlanState& state, const CopyStep& copy, const LaunchArguments& given) {
  const Signature::Slot& slot = slot_of(state, copy.from);
  for (std::size_t i = 0; i < slot.dims.size(); ++i)
    if (given.extent(slot.dims[i]) > 1 && given[copy.from].strides[i] != given[copy.to].strides[i])
      return false;
  return true;
}

void refuse(const PlanState& state, int slot, const std::string& what) {
  const std::string& name = slot_of(state, slot).name;
  throw Error(errors::plan["transfer-not-contiguous"], "'" + name + "' " + what,
              {name, "", "a tensor without gaps; a kernel that stores takes any strides", ""});
}

}  // namespace

void check_transfer(const PlanState& state, const Step& step, const LaunchArguments& given) {
  if (const auto* zero = std::get_if<ZeroStep>(&step)) {
    if (!given[zero->slot].given || slot_of(state, zero->slot).temporary) return;
    if (!range_of(state, zero->slot, given).dense)
      refuse(state, zero->slot, "has gaps between its elements, and a memset would fill them");
    return;
  }
  const auto& copy = std::get<CopyStep>(step);
  if (!given[copy.to].given) return;
  for (const int slot : {copy.from, copy.to})
    if (!range_of(state, slot, given).dense)
      refuse(state, slot, "has gaps between its elements, and a copy would take them along");
  if (range_of(state, copy.to, given).bytes > 0 && !have_same_strides(state, copy, given))
    refuse(state, copy.to,
           "has its axes in another order than '" + slot_of(state, copy.from).name + "'");
}

void transfer(const PlanState& state, const Step& step, const LaunchArguments& given,
              const Stream& stream) {
  const runtime::Driver& driver = state.device.driver();
  const runtime::ContextScope scope(state.device);
  if (const auto* zero = std::get_if<ZeroStep>(&step)) {
    const LaunchArguments::Value& tensor = given[zero->slot];
    if (!tensor.given) return;
    // Of a temporary all bytes are its own, the padding of its rows too.
    const std::size_t bytes = slot_of(state, zero->slot).temporary
                                  ? tensor.bytes
                                  : range_of(state, zero->slot, given).bytes;
    if (bytes > 0)
      driver.check(driver.fill_bytes_async(tensor.data, 0, bytes, stream.handle()),
                   "zeroing '" + slot_of(state, zero->slot).name + "'");
    return;
  }
  const auto& copy = std::get<CopyStep>(step);
  const std::size_t bytes = range_of(state, copy.from, given).bytes;
  if (!given[copy.to].given || bytes == 0) return;
  driver.check(driver.copy_on_device_async(given[copy.to].data, given[copy.from].data, bytes,
                                           stream.handle()),
               "copying '" + slot_of(state, copy.from).name + "'");
}

Plan zero(const Device& device, Argument tensor) {
  if (tensor.kind == Argument::Kind::scalar)
    throw Error(errors::plan["transfer-takes-tensors"], "zero takes a tensor",
                {tensor.name, "a scalar", "a tensor", ""});
  tensor.kind = Argument::Kind::out;
  return PlanState::plan(device, {ZeroPart{std::move(tensor)}});
}

Plan copy(const Device& device, Argument from, Argument to) {
  if (from.kind == Argument::Kind::scalar || to.kind == Argument::Kind::scalar ||
      from.name == to.name)
    throw Error(errors::plan["transfer-takes-tensors"], "copy takes two tensors",
                {to.name, "", "tensors of different names", ""});
  if (from.dtype != to.dtype)
    throw Error(errors::plan["copy-type-disagrees"],
                "copy from '" + from.name + "' to another element type",
                {to.name, std::string(name(to.dtype)), std::string(name(from.dtype)), ""});
  if (from.dims != to.dims)
    throw Error(errors::plan["copy-dimensions-disagree"],
                "copy from '" + from.name + "' to other dimensions",
                {to.name, "", "the dimensions of '" + from.name + "'", ""});
  from.kind = Argument::Kind::in;
  to.kind = Argument::Kind::out;
  return PlanState::plan(device, {CopyPart{std::move(from), std::move(to)}});
}

}  // namespace tilewright
