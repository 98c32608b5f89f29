// From a traced kernel to tile IR: the gate's answer. It merges equal values where one is in sight
// of the other, infers every type again and compares it with what C++ inferred, and turns each
// `Var` into values that loops carry. How: build.cpp; what comes out: ir/ir.hpp; examples:
// tests/dsl/build.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "ir/ir.hpp"
#include "tilewright/dsl/kernel.hpp"

namespace tilewright {

/// Runs the kernel's lambda and returns its program, verified. `extents` binds dimensions by name:
/// every dimension that is used whole must be there, others may be, and then are constants of the
/// program. Throws Error: invalid_program with the user's file:line for what breaks a rule of the
/// language, shape_mismatch for a whole dimension without extent, invalid_argument for an extent of
/// no dimension.
ir::Kernel build(const KernelSource& source,
                 const std::map<std::string, std::int64_t>& extents = {});

}  // namespace tilewright
