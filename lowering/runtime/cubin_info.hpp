// What a compiled kernel uses, read from the cubin itself.
// The one idea: the numbers `ptxas -v` prints are in the file, so a cached image can be explained
// without a tool, a device or a second compile.
// Next: sass_loops.hpp for its loops; tests/runtime/cubin_info_test.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/sass.hpp"
#include "runtime/sass_loops.hpp"

namespace tilewright::runtime {

struct CubinInfo {
  std::string kernel;
  int architecture = 0;         ///< 80, 90 …
  int registers = 0;            ///< per thread
  int static_shared_bytes = 0;  ///< per block, without what the system reserves
  int local_bytes = 0;          ///< stack frame per thread: spills and local arrays
  int spill_store_bytes = 0;    ///< bytes one thread stores if each spill ran once
  int spill_load_bytes = 0;     ///< and loads back
  /// Cubins of CUDA 12 do not mark spills: then every local access counts as one, which is exact
  /// for kernels without local arrays.
  bool spills_are_marked = false;
  std::vector<Instruction> code;  ///< with the padding behind the end removed

  int spill_bytes() const { return spill_store_bytes + spill_load_bytes; }
  InstructionMix mix() const;
  std::vector<SassLoop> loops(std::size_t nested_trips = 1) const {
    return find_loops(code, architecture, nested_trips);
  }
  /// The machine code as it lies in the file.
  std::string_view raw_code;  ///< a view into the bytes given to inspect_cubin
};

/// Reads `kernel` from `cubin`, which must outlive `raw_code`. An empty name means the only kernel.
/// Throws Error{invalid_file} for bytes that are no cubin, Error{invalid_argument} for a name that
/// is not in it.
CubinInfo inspect_cubin(std::string_view cubin, const std::string& kernel = "");

}  // namespace tilewright::runtime
