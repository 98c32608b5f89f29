// The functions that main() of a standalone program calls: inputs, elements of any type in memory,
// the way to the device and back, the comparison. As text, and only those that the program needs.
#pragma once

#include "emit/lines.hpp"

namespace tilewright::emit {

struct FunctionChoice {
  bool lists = false;     ///< tensors that list tiles
  bool integers = false;  ///< a tensor of integers or of b1
  bool e4m3 = false;      ///< a tensor of e4m3, which has no infinity
  bool layouts = false;   ///< a tensor that is not row-major
};

Lines standalone_functions(const FunctionChoice& choice);

}  // namespace tilewright::emit
