// The steps of a plan that are no kernels: memsets and copies of whole tensors.
// Each is one driver call over one range of bytes, so a tensor with gaps is refused.
#pragma once

#include "plan_state.hpp"

namespace tilewright {

/// Throws Error{unsupported} where `step` (a ZeroStep or CopyStep) cannot be one range of bytes.
void check_transfer(const PlanState& state, const Step& step, const LaunchArguments& given);

/// Puts it into `stream`; a tensor that is not given or empty is left alone.
void transfer(const PlanState& state, const Step& step, const LaunchArguments& given,
              const Stream& stream);

}  // namespace tilewright
