// Fills the cache of compiled kernels before they are needed, with no device at hand.
//
//   warmup({{product, {.extents = {{D, 128}, {E, 128}}}, runtime::ImageTarget::named("sm_90")},
//           {product, {.extents = {{D, 64}, {E, 64}}}, runtime::ImageTarget::named("sm_90")}});
//
// `compile` of the same kernel and request on such a device then only reads. The command is
// `tilewright warmup`; tests/warmup has both.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <tilewright/error.hpp>
#include <utility>
#include <vector>

#include "compile.hpp"

namespace tilewright {

/// One kernel that is to be in the cache.
struct WarmupItem {
  /// `kernel` lives until `warmup` returns.
  WarmupItem(const KernelSource& kernel, CompileRequest request, runtime::ImageTarget target)
      : kernel(&kernel), request(std::move(request)), target(std::move(target)) {}

  const KernelSource* kernel;
  CompileRequest request;
  runtime::ImageTarget target;
};

/// What became of one item. A kernel is two images: for aligned tensors, and for all others.
struct WarmupResult {
  bool from_cache = false;  ///< both images were there
  bool kept = false;        ///< both are there now
  std::uint64_t bytes = 0;  ///< of both images
  double seconds = 0;       ///< from the first pass to the second image
  std::optional<Error> error;
};

struct WarmupOptions {
  /// Compiles that run at a time; 0: one for each processor. Fewer run where `memory` says so.
  int jobs = 0;
  /// Bytes that all compiles together may take, beyond what the process has; 0: half of what the
  /// machine has free. Each counts Nvrtc::bytes_per_compile.
  std::uint64_t memory = 0;
  /// Called as each item is done, one call at a time, from the threads that compile.
  std::function<void(std::size_t item, const WarmupResult& result)> progress = {};
};

struct WarmupReport {
  std::vector<WarmupResult> results;  ///< one for each item, in their order
  int jobs = 0;                       ///< compiles that ran at a time, at most
  double seconds = 0;
};

/// Compiles what is not in the cache yet. Kernels are traced on the calling thread. What is wrong
/// with one item (a kernel that breaks a rule, a target that cannot do it) is its result; the
/// others are compiled all the same. Throws Error: missing without NVRTC; invalid_argument where
/// the cache is off or has no folder, for a negative `jobs`, or `memory` below what one compile
/// takes.
WarmupReport warmup(const std::vector<WarmupItem>& items, const WarmupOptions& options = {});

}  // namespace tilewright
