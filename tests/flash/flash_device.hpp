// What the tests of `flash` share: problems, plans on the emulator, tensors placed in device memory
// any way a caller might, and the verdict against the oracle.
//
// The numbers come from the oracle's own rounding, never from the code under test. Every element of
// an allocation that belongs to no tensor is NaN before the launch and must be NaN after it: a read
// past an end shows in the result, a write past it shows here.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tilewright/compile.hpp>
#include <vector>

#include "oracle/attention_reference.hpp"

namespace tilewright::test {

enum class Mask { none, bottom_right, top_left };

struct Shape {
  std::int64_t batch = 1, heads = 1, kv_heads = 1;
  std::int64_t q = 64, kv = 64;
  std::int64_t d = 64, e = 64;
  Mask mask = Mask::none;
  DType dtype = bf16;
  double scale = 0;  ///< 0 stands for 1 / sqrt(d); see `explicit_scale`
  bool explicit_scale = false;

  double softmax_scale() const;
};
std::string describe(const Shape& shape);

/// Standard normal numbers that the 16-bit type holds exactly.
oracle::Problem random_problem(const Shape& shape, unsigned seed);

/// The same, and all elements of a tensor ("q", "k", "v") that differ along `axis` alone are one.
oracle::Problem with_shared_axis(const Shape& shape, const std::string& tensor, std::size_t axis,
                                 unsigned seed);

/// The emulated sm_80 of this process; its compiled kernels are kept in a folder of the build.
const Device& emulator();

/// The kernel `flash` of a shape, and its plan; plans are kept by (type, d, e, mask, schedule).
std::unique_ptr<KernelSource> flash_kernel(const Shape& shape);
const Plan& flash_plan(const Shape& shape, const ir::Schedule& schedule = {});

/// Where a tensor's element (i0, i1, ...) lies: offset + sum of i * stride, in elements of an
/// allocation of `elements`.
struct Placement {
  std::vector<std::int64_t> extents;
  std::vector<std::int64_t> strides;
  std::int64_t offset = 0;
  std::int64_t elements = 0;

  /// Rows `pitch` elements apart (0: the row's own length), `spare` rows behind each head.
  static Placement dense(std::vector<std::int64_t> extents, std::int64_t pitch = 0,
                         std::int64_t spare = 0);
  /// [batch, rows, heads, elements] in memory.
  static Placement heads_inside(std::vector<std::int64_t> extents);
  /// Strides as given; the allocation reaches `spare` elements past the last one used.
  static Placement strided(std::vector<std::int64_t> extents, std::vector<std::int64_t> strides,
                           std::int64_t spare = 64);
};

/// Placements by tensor name ("q", "k", "v", "out", "lse"); the others are dense.
using Placements = std::map<std::string, Placement>;
Placement placement_of(const Shape& shape, const std::string& tensor, const Placements& given);

struct Outcome {
  oracle::Answer answer;
  std::vector<std::uint16_t> out_bits;  ///< in the order of answer.out
  std::string faults;                   ///< "[]": none
  std::string counters;                 ///< JSON
  bool aligned = false;                 ///< whether the forms that rely on alignment ran
  bool wrote_outside = false;           ///< something that belongs to no output changed
};
Outcome launch(const Plan& plan, const Shape& shape, const oracle::Problem& problem,
               const Placements& placements = {});

/// Errors against double precision and what C9 allows: twice the plain computation's own error in
/// the same types, plus 1e-5; for the LSE twice that error plus 1e-4 plus four roundings to f32.
struct Verdict {
  double error = 0, tolerance = 0, lse_error = 0, lse_tolerance = 0;
  bool empty_rows_neutral = true;  ///< rows without a key: exactly 0 and -inf
  bool right() const {
    return error <= tolerance && lse_error <= lse_tolerance && empty_rows_neutral;
  }
};
/// `rounded_scores`: the plain computation rounds its scores to the 16-bit type as well.
Verdict judge(const Shape& shape, const oracle::Problem& problem, const oracle::Answer& answer,
              bool rounded_scores = false);
std::string describe(const Verdict& verdict);

/// Launches, judges, and CHECKs: right, no fault, nothing written outside.
Outcome check_flash(const Shape& shape, unsigned seed = 1, const Placements& placements = {});

}  // namespace tilewright::test
