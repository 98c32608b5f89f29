// What is behind a Plan: its parts as they were made, the signature they have together, and its
// steps, which are the parts in terms of that signature. Joining plans joins their parts and
// resolves them anew.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "kernel_form.hpp"
#include "launch_arguments.hpp"
#include "launch_checks.hpp"
#include "runtime/module.hpp"
#include "signature.hpp"
#include "tilewright/plan.hpp"
#include "workspace.hpp"

namespace tilewright {

struct KernelPart {
  std::shared_ptr<const Program> program;
  runtime::Function aligned, general;
};
struct ZeroPart {
  Argument tensor;
};
struct CopyPart {
  Argument from, to;
};
using Part = std::variant<KernelPart, ZeroPart, CopyPart>;

struct KernelStep {
  const KernelPart* part;
  KernelForm aligned, general;
  LaunchChecks checks;
};
struct ZeroStep {
  int slot;
};
struct CopyStep {
  int from, to;
};
using Step = std::variant<KernelStep, ZeroStep, CopyStep>;

struct PlanState {
  PlanState(Device device, std::vector<Part> parts);
  PlanState(const PlanState&) = delete;

  static Plan plan(const Device& device, std::vector<Part> parts);
  static const PlanState& of(const Plan& plan) { return *plan.state_; }
  /// Plan::launch once for each of `launches`, in order. All are checked before one runs.
  static void launch_each(const Plan& plan, const Stream& stream,
                          const std::vector<std::vector<Binding>>& launches,
                          const Workspace& workspace);

  const KernelStep& kernel(std::size_t number) const;
  /// Arguments with the temporaries at `base`, and the bytes these take from there.
  std::size_t place(LaunchArguments& given, CUdeviceptr base) const;

  Device device;
  std::vector<Part> parts;
  Signature signature;
  WorkspaceLayout workspace;
  std::vector<Step> steps;
  std::vector<std::size_t> kernels;  ///< numbers of the steps that are kernels
  std::size_t most_parameters = 0;
};

}  // namespace tilewright
