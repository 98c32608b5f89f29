// What each pointwise operation of a score tree gives, on the host: integers exact, everything else
// in double precision. The one place for folding constants and for asking a mask on the host.
#pragma once

#include <array>
#include <tilewright/dsl/dtype.hpp>
#include <tilewright/dsl/op.hpp>

namespace tilewright::library {

/// `op` of its operands, a result of type `dtype`. Division and remainder of integers round toward
/// -inf and give 0 by 0; truth is 0 and 1.
double pointwise(Op op, DType dtype, const std::array<double, 3>& x);

}  // namespace tilewright::library
