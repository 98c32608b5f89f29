// Views made from views: nothing here touches memory. See tilewright/arguments.hpp.
#include <algorithm>

#include "plan_errors.hpp"

#include "tilewright/arguments.hpp"

namespace tilewright {
namespace {

std::size_t checked_axis(const TensorView& view, int axis) {
  const std::size_t axes = std::min(view.extents.size(), view.strides.size());
  if (axis < 0 || static_cast<std::size_t>(axis) >= axes)
    throw Error(errors::plan["view-axis-unknown"], "the view has no axis of that number",
                {"axis", std::to_string(axis),
                 axes == 0 ? "none" : "0 to " + std::to_string(axes - 1), ""});
  return static_cast<std::size_t>(axis);
}

}  // namespace

TensorView TensorView::contiguous(CUdeviceptr data, DType dtype,
                                  std::vector<std::int64_t> extents) {
  std::vector<std::int64_t> strides(extents.size(), 1);
  for (std::size_t i = extents.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<std::int64_t>(extents[i], 1);
  return {data, dtype, std::move(extents), std::move(strides)};
}

TensorView TensorView::transposed(int axis, int other) const {
  const std::size_t one = checked_axis(*this, axis), two = checked_axis(*this, other);
  TensorView result = *this;
  std::swap(result.extents[one], result.extents[two]);
  std::swap(result.strides[one], result.strides[two]);
  return result;
}

TensorView TensorView::slice(int axis, std::int64_t begin, std::int64_t count) const {
  const std::size_t which = checked_axis(*this, axis);
  const std::int64_t extent = extents[which];
  if (begin < 0 || begin > extent)
    throw Error(errors::plan["slice-leaves-view"], "the slice begins outside the axis",
                {"begin", std::to_string(begin), "0 to " + std::to_string(extent), ""});
  if (count < 0 || count > extent - begin)
    throw Error(errors::plan["slice-leaves-view"], "the slice ends outside the axis",
                {"count", std::to_string(count), "0 to " + std::to_string(extent - begin), ""});
  TensorView result = *this;
  result.extents[which] = count;
  // A null address stays null: a slice of nothing is still refused by the launch.
  if (data != 0) result.data += static_cast<CUdeviceptr>(begin * strides[which] * size_of(dtype));
  return result;
}

}  // namespace tilewright
