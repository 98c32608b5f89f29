// What one loop's tiles are counted in, and what is known of the numbers: the facts from which
// bounds are compared. Made from the kernel's axes; used by normalize_masks and analyze_masks.
#pragma once

#include "ir/ir.hpp"
#include "passes/zones.hpp"

namespace tilewright::passes {

/// Rows, extents and grid numbers as the prover knows them. `rows` may be -1: the mask has none.
TileSpace space_of(const ir::Kernel& kernel, const ir::Operation& loop, ir::AxisId rows);

/// The extent of a dimension, of a flattened one as the product of its parts: numbers where they
/// are bound, else names.
Linear extent_of(const ir::Kernel& kernel, const std::string& dim);

}  // namespace tilewright::passes
