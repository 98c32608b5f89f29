// The program in double precision and plain loops: the half of a standalone program that says what
// the kernel beside it should compute. Written from the traced program before any pass, it shares
// nothing with the kernel's text but the user's names. The idea: sizes of tiles do not change the
// meaning, so one block holds all of a loop's dimension and each row of the grid is a loop.
// Decisions are in reference_plan.hpp, operators in spelling.hpp, the caller in standalone.hpp.
#pragma once

#include <string>

#include "emit/kernel_text.hpp"
#include "ir/ir.hpp"

namespace tilewright::emit {

/// `standalone::reference(const Extents&, arguments…)` with the types it needs, under
/// TILEWRIGHT_MAIN: C++17 for any host compiler, nvcc's included. Tensors are `Array<double>`
/// (`Array<int>` and its like for integers, `Array<char>` for b1) of their own extents, row-major,
/// in the signature's order; Out and InOut are written. `traced` is a kernel as build() returns it;
/// `tiles` are those of the kernel it is compared with, which iota(M) counts in (a dimension that
/// is not there: one tile). Throws Error{unsupported} for an operation that only passes insert, and
/// for a masked reduction whose operand lacks an axis of the mask.
std::string emit_reference(const ir::Kernel& traced, const TileSizes& tiles = {});

}  // namespace tilewright::emit
