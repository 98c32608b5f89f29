// Which statements of a kernel leave a result to the order in which a device takes its threads. All
// others give the same bits in every launch of one schedule.
#pragma once

#include <string>
#include <vector>

#include "ir.hpp"

namespace tilewright::ir {

/// One sentence for each such statement, with its line: "atomic_add(sum) at hist.cpp:12: f32 …".
/// Empty: results are bit-stable.
std::vector<std::string> order_dependent(const Kernel& kernel);

}  // namespace tilewright::ir
