// What a launch is given: tensors and numbers by name, and memory for the temporaries.
// Nothing here owns device memory; plan.hpp says how each is checked.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../runtime/memory.hpp"
#include "tilewright/dsl/dtype.hpp"

namespace tilewright {

using runtime::Buffer;
using runtime::Device;
using runtime::Stream;

/// A tensor in device memory: address, element type, extents and strides (in elements, outermost
/// first, in the order of the argument's dimensions). Any strides are legal for inputs, 0 included;
/// an output whose elements overlap is refused at launch.
struct TensorView {
  CUdeviceptr data = 0;
  DType dtype = DType::f32;
  std::vector<std::int64_t> extents;
  std::vector<std::int64_t> strides;

  /// Row-major without gaps.
  static TensorView contiguous(CUdeviceptr data, DType dtype, std::vector<std::int64_t> extents);

  /// The same elements with two axes exchanged: [batch, length, heads, dim] seen as [batch, heads,
  /// length, dim] is transposed(1, 2). Throws Error{invalid_argument} for an axis that is not
  /// there.
  TensorView transposed(int axis, int other) const;

  /// Elements begin … begin + count - 1 of an axis: q, k and v of a packed tensor, rows without
  /// their padding. Throws Error{invalid_argument} for an axis or elements that are not there.
  TensorView slice(int axis, std::int64_t begin, std::int64_t count) const;
};

/// One named argument of a launch: a tensor, or a number for a Scalar.
struct Binding {
  Binding(std::string name, TensorView tensor) : name(std::move(name)), tensor(std::move(tensor)) {}
  template <typename Number>
  requires std::is_arithmetic_v<Number> Binding(std::string name, Number number)
      : name(std::move(name)), number(static_cast<double>(number)), is_number(true) {}

  std::string name;
  TensorView tensor;
  double number = 0;
  bool is_number = false;
};

/// The caller's memory for a plan's temporaries, for one launch: at least Plan::workspace_bytes
/// from a multiple of 256. Launches that may run at the same time need one each.
struct Workspace {
  Workspace() = default;
  Workspace(CUdeviceptr address, std::size_t bytes) : address(address), bytes(bytes) {}
  /// All of `buffer`, which must live until the launch returns; its device is checked too.
  Workspace(const Buffer& buffer)
      : address(buffer.address()), bytes(buffer.bytes()), device(buffer.device()) {}

  CUdeviceptr address = 0;
  std::size_t bytes = 0;
  const Device* device = nullptr;  ///< null: not known
};

}  // namespace tilewright
