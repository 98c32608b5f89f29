// What a launch was given, checked against the kernel's signature: extents that agree, element
// types, pointers, outputs whose elements do not overlap. From it follow the grid, the choice
// between kernels and the values of the generated kernel's parameters.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "emit/kernel_text.hpp"
#include "tilewright/compile.hpp"

namespace tilewright {

class LaunchArguments {
 public:
  /// Throws Error as Plan::launch says.
  LaunchArguments(const ir::Kernel& kernel, const std::vector<Binding>& given);

  /// Whether every tensor meets what `text` relies on.
  bool is_aligned(const emit::KernelText& text) const;

  /// Refuses a scalar or extent below 1 by which a loop's bounds divide.
  void require_positive(const ir::Kernel& scheduled) const;

  /// Blocks of the grid; 0 when a dimension of it is empty.
  std::int64_t programs(const emit::KernelText& text) const;

  /// The parameters in order: `parameters[i]` points into `storage`.
  void pack(const emit::KernelText& text, std::vector<std::uint64_t>& storage,
            std::vector<void*>& parameters) const;

  std::int64_t extent(const std::string& dim) const { return extents_.at(dim); }

 private:
  void take_tensor(const Argument& argument, const TensorView& view);
  /// Refuses an index that some program of the grid would take outside its tensor, and a division
  /// by 0.
  void check_indices() const;
  void refuse_overlap(const Argument& argument, const TensorView& view) const;

  const ir::Kernel& kernel_;
  std::map<std::string, const TensorView*> tensors_;
  std::map<std::string, double> numbers_;
  std::map<std::string, std::int64_t> extents_;
  std::map<std::string, std::string> extent_from_;  ///< by dimension: the argument it was read from
};

}  // namespace tilewright
