// See plan_state.hpp.
#include "plan_state.hpp"

#include <algorithm>

#include "plan_errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright {
namespace {

std::string described(const Part& part) {
  if (const auto* kernel = std::get_if<KernelPart>(&part))
    return "kernel '" + kernel->program->traced.name + "'";
  if (const auto* zero = std::get_if<ZeroPart>(&part)) return "zero '" + zero->tensor.name + "'";
  const auto& copy = std::get<CopyPart>(part);
  return "copy '" + copy.from.name + "' to '" + copy.to.name + "'";
}

void describe(Signature& signature, const Part& part, int step) {
  const std::string who = described(part);
  if (const auto* kernel = std::get_if<KernelPart>(&part)) {
    signature.add(kernel->program->traced, step, who);
  } else if (const auto* zero = std::get_if<ZeroPart>(&part)) {
    signature.add(zero->tensor, step, who);
  } else {
    const auto& copy = std::get<CopyPart>(part);
    signature.add(copy.from, step, who, true);
    signature.add(copy.to, step, who, true);
  }
}

}  // namespace

PlanState::PlanState(Device on, std::vector<Part> made)
    : device(std::move(on)), parts(std::move(made)) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    describe(signature, parts[i], static_cast<int>(i));
    signature.title += (i ? ", " : "") + described(parts[i]);
  }
  if (parts.size() > 1) signature.title = "the plan of " + signature.title;
  workspace = WorkspaceLayout(signature);
  for (const Part& part : parts) {
    if (const auto* kernel = std::get_if<KernelPart>(&part)) {
      const Program& program = *kernel->program;
      kernels.push_back(steps.size());
      KernelStep step{kernel, KernelForm(signature, program.aligned),
                      KernelForm(signature, program.general),
                      LaunchChecks(signature, program.traced)};
      most_parameters =
          std::max({most_parameters, step.aligned.parameters(), step.general.parameters()});
      steps.emplace_back(std::move(step));
    } else if (const auto* zero = std::get_if<ZeroPart>(&part)) {
      steps.emplace_back(ZeroStep{signature.slot(zero->tensor.name)});
    } else {
      const auto& copy = std::get<CopyPart>(part);
      steps.emplace_back(CopyStep{signature.slot(copy.from.name), signature.slot(copy.to.name)});
    }
  }
}

Plan PlanState::plan(const Device& device, std::vector<Part> parts) {
  return Plan(std::make_shared<const PlanState>(device, std::move(parts)));
}

const KernelStep& PlanState::kernel(std::size_t number) const {
  if (number < kernels.size()) return std::get<KernelStep>(steps[kernels[number]]);
  throw Error(errors::plan["plan-kernel-unknown"], "the plan has no kernel of that number",
              {"kernel", std::to_string(number),
               kernels.empty() ? "none" : "0 to " + std::to_string(kernels.size() - 1), ""});
}

std::size_t PlanState::place(LaunchArguments& given, CUdeviceptr base) const {
  if (workspace.empty()) return 0;
  std::vector<WorkspaceLayout::Piece> pieces;
  const std::size_t bytes = workspace.place(given.extents(), pieces);
  given.place(workspace, pieces, base);
  return bytes;
}

}  // namespace tilewright
