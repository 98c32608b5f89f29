// What a launch was given, by slot, checked against the plan's signature: extents that agree,
// element types, pointers, outputs whose elements do not overlap. What one step needs beyond that
// is in kernel_form.hpp and launch_checks.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "signature.hpp"
#include "tilewright/arguments.hpp"
#include "workspace.hpp"

namespace tilewright {

constexpr std::int64_t largest_extent = 2147483647;  ///< of a dimension, and blocks of a grid

class LaunchArguments {
 public:
  struct Value {
    CUdeviceptr data = 0;
    const std::int64_t* strides = nullptr;  ///< null: not given, or a scalar
    double number = 0;
    bool given = false;
    std::size_t bytes = 0;  ///< temporaries: all it may use
  };

  /// Throws Error as Plan::launch says.
  LaunchArguments(const Signature& signature, const std::vector<Binding>& given);

  std::int64_t extent(int dimension) const { return extents_[static_cast<std::size_t>(dimension)]; }
  const std::vector<std::int64_t>& extents() const { return extents_; }
  const Value& operator[](int slot) const { return values_[static_cast<std::size_t>(slot)]; }

  /// Gives the temporaries their memory, from `base` on.
  void place(const WorkspaceLayout& layout, const std::vector<WorkspaceLayout::Piece>& pieces,
             CUdeviceptr base);

 private:
  void take_tensor(const Signature::Slot& slot, Value& value, const TensorView& view);
  void refuse_missing(std::size_t slot) const;

  const Signature& signature_;
  std::vector<Value> values_;             ///< by slot
  std::vector<std::int64_t> extents_;     ///< by dimension; -1: nothing has said yet
  std::vector<const std::string*> from_;  ///< by dimension: who said it; null: compile
  std::vector<std::int64_t> strides_;     ///< of the temporaries
};

}  // namespace tilewright
