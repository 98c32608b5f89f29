// Which dimension of each tile in registers runs over warps (Value::row_axis). Part of
// choose_schedule.
#pragma once

#include <set>

#include "ir/ir.hpp"

namespace tilewright::passes {

/// Writes row_axis on every value of a kernel with dots, whose operands are in order (rows on the
/// left). `primary`: the kernel's own rows. Returns all axes that run over warps somewhere.
std::set<ir::AxisId> assign_rows(ir::Kernel& kernel, ir::AxisId primary);

}  // namespace tilewright::passes
