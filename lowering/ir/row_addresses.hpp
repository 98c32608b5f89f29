// Rows that stand anywhere: a tile whose tiles of indices vary along its rows alone. Its rows are
// still contiguous, so they move in 16-byte pieces like any other, once the thread that moves a
// piece can work out where its row starts, whoever holds that row's index in registers.
#pragma once

#include "ir/ir.hpp"

namespace tilewright::ir {

/// Whether some index of `access` is a tile.
bool picks(const Operation& access);

/// Whether every tile of indices of `access` varies along `rows` alone, and any thread can compute
/// any of its elements: from coordinates, numbers, and tensors that the kernel only reads. Its
/// other indices must be plain: no slices, steps or other names.
bool has_row_addresses(const Kernel& kernel, const Operation& access, AxisId rows);

/// Whether `access`, after copies and stores are staged, computes its row addresses anew: its tiles
/// of indices need no registers.
bool takes_row_addresses(const Kernel& kernel, const Operation& access);

}  // namespace tilewright::ir
