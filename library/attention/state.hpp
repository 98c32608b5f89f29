// What is behind an AttentionProgram and an AttentionPlan: the request with its defaults filled in,
// and what the compiler made of it.
#pragma once

#include <optional>
#include <tilewright/compile.hpp>
#include <tilewright/library/attention.hpp>

#include "attention/kernel.hpp"
#include "attention/regroup.hpp"

namespace tilewright {

struct AttentionState {
  std::vector<ScoreTree> arguments;  ///< numbers and tables of all parts, each once
  library::AttentionParts parts;     ///< as they were asked for
  struct Regrouped {
    library::Regrouping how;
    library::WholeChecks checks;
  };
  std::optional<Regrouped> regrouped;
  AttentionRequest request;     ///< value_dim is never 0
  std::string arch;             ///< images are made for it
  std::optional<Program> made;  ///< without a device
  std::optional<Plan> plan;     ///< with one

  static const AttentionState& of(const AttentionProgram& program) { return *program.state_; }
  const Program& program() const { return plan ? plan->program() : *made; }
  /// Of the kernel.
  const library::AttentionParts& compiled() const {
    return regrouped ? regrouped->how.parts : parts;
  }
};

namespace library {

/// Throws Error naming the field of the request that no kernel can do.
void check(const AttentionRequest& request);

/// Throws Error naming the extent that is out of range or the heads that do not fit.
void check(const AttentionExtents& extents);

/// Throws Error naming the tensor or number that does not fit; what is left, Plan::launch checks.
/// Returns the extents of the launch.
AttentionExtents check(const AttentionTensors& tensors, const AttentionRequest& request);

}  // namespace library
}  // namespace tilewright
