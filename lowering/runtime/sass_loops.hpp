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

  /// One trip: the cheapest way round that makes all the loop's tensor instructions and all its
  /// accesses to global memory. Code that only some trips branch into is not in it; nested loops
  /// are, as often as find_loops was told.
  InstructionMix trip;

  std::size_t instructions() const { return trip.total(); }
};

/// The loops in the order of their first instruction, outer before inner. `nested_trips`: how often
/// a loop inside another one runs each time, which machine code does not tell.
std::vector<SassLoop> find_loops(const std::vector<Instruction>& code, int architecture,
                                 std::size_t nested_trips = 1);

}  // namespace tilewright::runtime
