// Loops of a compiled kernel, found in its machine code.
// The one idea: natural loops. A branch to a block that dominates it closes a loop, and the loop is
// what reaches that branch without leaving through the top. Cold code that ptxas puts behind the
// end and branches back from is thus counted where it belongs, and is not mistaken for a loop.
// Limits: switch tables (BRX) are not followed, so a loop only reachable through one is not seen.
// Next: tests/runtime/sass_test.cpp.
#pragma once

#include <cstddef>
#include <vector>

#include "runtime/sass.hpp"

namespace tilewright::runtime {

struct SassLoop {
  std::size_t begin = 0;  ///< first instruction that belongs to it
  std::size_t end = 0;    ///< one past the last; the range may enclose instructions that do not
  bool innermost = false;
  InstructionMix mix;  ///< of the instructions that belong to it, nested loops included, once each

  std::size_t instructions() const { return mix.total(); }
};

/// The loops in the order of their first instruction, outer before inner.
std::vector<SassLoop> find_loops(const std::vector<Instruction>& code, int architecture);

}  // namespace tilewright::runtime
