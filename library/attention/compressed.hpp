// Attention over an ACSR by three kernels that keep scores and weights compressed in memory
// (loops/compressed_forward.hpp).
#pragma once

#include "attention/kernel.hpp"
#include "scores/acsr_places.hpp"

namespace tilewright::library {

struct CompressedParts {
  ScoreMod score_mod = {};
  AcsrPlaces places;
  std::int64_t width = 1;         ///< places of a row, at least 1
  int block_q = 0, block_kv = 0;  ///< of the tiles that a list of the launch names

  /// Of which the numbers and tables of the launch are gathered.
  std::vector<ScoreTree> trees() const { return {score_mod.tree(), places.place, places.count}; }
};

/// A kernel and the extents that it is compiled for.
struct CompressedKernel {
  std::shared_ptr<const KernelSource> kernel;
  std::map<std::string, std::int64_t> extents;
};

/// R-SDDMM, R-softmax and R-SpMM, scores and weights in f32; none for an element type without
/// kernels.
std::vector<CompressedKernel> compressed_kernels(const CompressedParts& parts, DType dtype,
                                                 std::int64_t head_dim, std::int64_t value_dim);

}  // namespace tilewright::library
