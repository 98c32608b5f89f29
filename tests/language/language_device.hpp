// Runs one kernel everywhere it can run without a GPU: interpreted as traced, interpreted as
// scheduled for either text, and on the emulator with dense and with strided tensors. Every result
// must agree with what the test computed with plain loops. Elements of an allocation that belong to
// no tensor are NaN before a launch and must be after it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tilewright/compile.hpp>
#include <vector>

#include "ir/interpret.hpp"

namespace tilewright::test {

/// A tensor in row-major order, and what must be in it after the launch (empty: it is not written).
struct Data {
  DType dtype = f32;
  std::vector<std::int64_t> extents;
  std::vector<double> numbers = {};
  std::vector<double> expected = {};
  double tolerance = 0;  ///< |result - expected| <= tolerance * (1 + |expected|)

  std::int64_t size() const;
};

struct Problem {
  std::map<std::string, Data> tensors;
  std::map<std::string, double> scalars = {};
  std::map<std::string, std::int64_t> bound = {};
  ir::Schedule schedule = {};
};

/// An index of a std::vector.
inline std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// Numbers in [-1, 1) that bf16 and f16 hold exactly, different for each seed.
std::vector<double> noise(std::int64_t count, unsigned seed);
/// Integers from `low` to `high`, both included.
std::vector<double> integers(std::int64_t count, int low, int high, unsigned seed);

/// Runs `kernel` on all of them and CHECKs results and faults.
void check(const KernelSource& kernel, const Problem& problem);

/// The emulated sm_80 of this process.
const Device& emulator();

/// Extents that leave ragged tiles, and one that fills them.
inline constexpr std::int64_t odd_extents[] = {1, 15, 16, 17, 65, 333};

}  // namespace tilewright::test
