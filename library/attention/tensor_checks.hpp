// One tensor of a launch against what is expected of it, in the caller's words.
#pragma once

#include <array>
#include <string>
#include <tilewright/arguments.hpp>

namespace tilewright::library {

/// Who says the extents that were compiled for.
inline constexpr const char* the_request = "the request";

/// One extent of a launch: the first tensor that has it says it, the others must agree.
struct Extent {
  const char* name;
  std::int64_t value = -1;  ///< -1: not known yet
  std::string from = {};    ///< who said it: a tensor, or the_request
};

struct Rows {
  const char* name;
  const TensorView& view;
  std::array<Extent*, 4> axes;  ///< null behind the last
};

inline bool is_given(const TensorView& view) { return view.data != 0 || !view.extents.empty(); }

/// Throws Error{argument: the tensor's name}: invalid_argument where it is missing; shape_mismatch
/// where its axes or extents disagree. Addresses, element types and strides are the plan's to
/// check, whose arguments have the same names.
void check_tensor(const Rows& rows);

}  // namespace tilewright::library
