// A plan's launch, and the questions about its workspace. See tilewright/plan.hpp; how the parts
// became steps: plan_state.cpp.
#include "tilewright/plan.hpp"

#include <algorithm>
#include <optional>

#include "emit/bundle.hpp"
#include "plan_errors.hpp"
#include "plan_state.hpp"
#include "plan_transfers.hpp"
#include "program_errors.hpp"
#include "runtime/errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright {
namespace {

std::vector<Part> joined(std::initializer_list<Plan> plans) {
  std::vector<Part> parts;
  for (const Plan& plan : plans)
    for (const Part& part : PlanState::of(plan).parts) parts.push_back(part);
  return parts;
}

const Device& common_device(std::initializer_list<Plan> plans) {
  if (plans.size() == 0)
    throw Error(errors::plan["plan-of-nothing"], "a plan of nothing",
                {"parts", "none", "at least one plan", ""});
  const Device& device = plans.begin()->device();
  for (const Plan& plan : plans)
    if (!(plan.device() == device))
      throw Error(errors::plan["plan-of-two-devices"],
                  "the parts of a plan are for different devices",
                  {"parts", plan.device().place(), device.place() + ", as the first", ""});
  return device;
}

/// Throws unless `bytes` of `workspace` can be used.
void require_workspace(const Workspace& workspace, std::size_t bytes, const Device& device,
                       bool reserved) {
  if (bytes == 0) return;
  const std::string wanted = std::to_string(bytes) + " bytes";
  const auto refuse = [](const ErrorEntry& entry, const std::string& what, const std::string& value,
                         const std::string& allowed) {
    throw Error(entry, what, {"workspace", value, allowed, ""});
  };
  if (workspace.address == 0)
    refuse(errors::plan["workspace-missing"], "the plan needs a workspace", "none",
           "at least " + wanted + ", given to launch or reserved before it");
  if (workspace.device != nullptr && !(*workspace.device == device))
    refuse(errors::plan["workspace-of-another-device"],
           "the workspace belongs to another device than the plan", workspace.device->place(),
           device.place());
  if (workspace.bytes < bytes)
    refuse(errors::plan["workspace-too-small"],
           reserved ? "more workspace is needed than was reserved" : "the workspace is too small",
           std::to_string(workspace.bytes) + " bytes", "at least " + wanted);
  if (workspace.address % WorkspaceLayout::alignment != 0)
    refuse(errors::plan["workspace-misaligned"], "the workspace is misaligned",
           std::to_string(workspace.address),
           "an address that is a multiple of " + std::to_string(WorkspaceLayout::alignment));
}

/// Throws where a tensor lies in the memory of another device. Only the emulator is asked: a GPU's
/// driver would take as long to answer as to launch, and reports the address as illegal itself.
void refuse_foreign(const PlanState& state, const LaunchArguments& given) {
  if (!state.device.is_emulator()) return;
  const runtime::Driver& api = state.device.driver();
  const auto& slots = state.signature.slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const LaunchArguments::Value& value = given[static_cast<int>(i)];
    if (slots[i].scalar || slots[i].temporary || !value.given || value.data == 0) continue;
    const auto attribute = [&](CUpointer_attribute which) {
      unsigned number = 0;
      const bool known = api.pointer_get_attribute(&number, which, value.data) == CUDA_SUCCESS;
      return known ? std::optional(number) : std::nullopt;
    };
    const auto owner = attribute(CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL);
    if (!owner || static_cast<int>(*owner) == state.device.ordinal()) continue;
    // Managed and page-locked memory is every device's.
    if (attribute(CU_POINTER_ATTRIBUTE_MEMORY_TYPE) != unsigned{CU_MEMORYTYPE_DEVICE} ||
        attribute(CU_POINTER_ATTRIBUTE_IS_MANAGED) != 0U)
      continue;
    char name[256] = {};
    CUdevice handle = 0;
    const bool named =
        api.device_get(&handle, static_cast<int>(*owner)) == CUDA_SUCCESS &&
        api.device_get_name(name, static_cast<int>(sizeof name) - 1, handle) == CUDA_SUCCESS;
    throw Error(
        errors::plan["tensor-of-another-device"],
        "tensor '" + slots[i].name + "' is in the memory of another device than the plan",
        {.argument = slots[i].name,
         .value = "memory of " + (named ? std::string(name) : std::to_string(*owner)),
         .allowed = "memory of " + state.device.name() + " (" + state.device.place() + ")"});
  }
}

/// A kernel step's form for this launch, and its blocks.
struct Chosen {
  const KernelForm* form = nullptr;
  const runtime::Function* function = nullptr;
  std::int64_t programs = 0;
};

Chosen choose(const KernelStep& step, const LaunchArguments& given) {
  step.checks.run(given);
  const bool aligned = step.aligned.suits(given);
  const KernelForm& form = aligned ? step.aligned : step.general;
  form.require_positive(given);
  return {&form, aligned ? &step.part->aligned : &step.part->general, form.programs(given)};
}

void require_stream(const PlanState& state, const Stream& stream) {
  if (!(stream.device() == state.device))
    throw Error(
        errors::runtime["stream-of-another-device"],
        "the stream belongs to another device than the plan",
        {.argument = "stream", .value = stream.device().place(), .allowed = state.device.place()});
  if (!state.signature.unwritten.empty())
    throw Error(
        errors::plan["temp-never-written"],
        "the Temp '" + state.signature.unwritten + "' is read by " +
            state.signature.unwritten_reader + ", and no step before it writes it",
        {state.signature.unwritten, "", "a plan that begins with the kernel that writes it", ""});
}

/// A launch of which everything has been checked.
struct Prepared {
  Prepared(const PlanState& state, const std::vector<Binding>& arguments,
           const Workspace& workspace, const Buffer& reserve)
      : given(state.signature, arguments), chosen(state.steps.size()) {
    refuse_foreign(state, given);
    if (!state.workspace.empty()) {
      const bool reserved = workspace.address == 0 && workspace.bytes == 0;
      const Workspace used = reserved ? Workspace(reserve) : workspace;
      require_workspace(used, state.place(given, used.address), state.device, reserved);
    }
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (const auto* kernel = std::get_if<KernelStep>(&state.steps[i]))
        chosen[i] = choose(*kernel, given);
      else
        check_transfer(state, state.steps[i], given);
    }
  }

  LaunchArguments given;
  std::vector<Chosen> chosen;
};

void run(const PlanState& state, const Prepared& launch, const Stream& stream) {
  std::vector<std::uint64_t> storage(state.most_parameters);
  std::vector<void*> parameters(state.most_parameters);
  for (std::size_t i = 0; i < launch.chosen.size(); ++i) {
    const Chosen& one = launch.chosen[i];
    if (one.form == nullptr) {
      transfer(state, state.steps[i], launch.given, stream);
      continue;
    }
    if (one.programs == 0) continue;
    one.form->pack(launch.given, storage.data(), parameters.data());
    one.function->launch({static_cast<unsigned>(one.programs), 1, 1}, {one.form->threads(), 1, 1},
                         one.form->shared_bytes(), stream, parameters.data());
  }
}

}  // namespace

Plan::Plan(std::initializer_list<Plan> parts)
    : state_(std::make_shared<const PlanState>(common_device(parts), joined(parts))) {}

Plan::Reserve& Plan::Reserve::operator=(const Reserve& other) {
  if (this != &other) buffer = Buffer();
  return *this;
}

const Device& Plan::device() const { return state_->device; }
std::size_t Plan::kernels() const { return state_->kernels.size(); }
const Program& Plan::program(std::size_t kernel) const {
  return *state_->kernel(kernel).part->program;
}

void Plan::launch(const Stream& stream, const std::vector<Binding>& arguments,
                  const Workspace& workspace) const {
  require_stream(*state_, stream);
  run(*state_, Prepared(*state_, arguments, workspace, reserve_.buffer), stream);
}

void PlanState::launch_each(const Plan& plan, const Stream& stream,
                            const std::vector<std::vector<Binding>>& launches,
                            const Workspace& workspace) {
  const PlanState& state = of(plan);
  require_stream(state, stream);
  std::vector<Prepared> prepared;
  prepared.reserve(launches.size());
  for (const std::vector<Binding>& one : launches)
    prepared.emplace_back(state, one, workspace, plan.reserve_.buffer);
  for (const Prepared& one : prepared) run(state, one, stream);
}

std::size_t Plan::workspace_bytes(const Extents& given) const {
  const Signature& signature = state_->signature;
  std::vector<std::int64_t> extents;
  for (const auto& dimension : signature.dimensions()) extents.push_back(dimension.bound);
  for (const auto& [dim, extent] : given) {
    const int number = signature.dimension(dim);
    if (number < 0 || extent < 0 || extent > largest_extent) {
      std::string known;
      for (const auto& one : signature.dimensions())
        known += (known.empty() ? "" : ", ") + one.name;
      throw Error(number < 0 ? errors::program["dimension-not-in-kernel"]
                             : errors::program["extent-out-of-range"],
                  number < 0 ? signature.title + " has no dimension '" + dim + "'"
                             : "the extent of dimension '" + dim + "' is out of range",
                  {dim, std::to_string(extent),
                   number < 0 ? known : "0 to " + std::to_string(largest_extent), ""});
    }
    std::int64_t& known = extents[static_cast<std::size_t>(number)];
    if (known >= 0 && known != extent)
      throw Error(errors::plan["extent-compiled-otherwise"],
                  "dimension '" + dim + "' was compiled for another extent",
                  {dim, std::to_string(extent), std::to_string(known), ""});
    known = extent;
  }
  for (const Signature::Slot& slot : signature.slots())
    for (const int dim : slot.dims)
      if (slot.temporary && extents[static_cast<std::size_t>(dim)] < 0)
        throw Error(errors::plan["extent-not-given"],
                    "the size of the Temp '" + slot.name + "' needs the extent of dimension '" +
                        signature.dimension_name(dim) + "'",
                    {signature.dimension_name(dim), "nothing",
                     "0 to " + std::to_string(largest_extent), ""});
  std::vector<WorkspaceLayout::Piece> pieces;
  return state_->workspace.place(extents, pieces);
}

void Plan::reserve(const Extents& extents) {
  const std::size_t bytes = workspace_bytes(extents);
  if (bytes > reserve_.buffer.bytes()) reserve_.buffer = Buffer(state_->device, bytes);
}

bool Plan::runs_aligned(const std::vector<Binding>& arguments, std::size_t kernel) const {
  LaunchArguments given(state_->signature, arguments);
  state_->place(given, WorkspaceLayout::alignment);
  return state_->kernel(kernel).aligned.suits(given);
}

std::string Program::cuda_source() const { return emit::bundle({{&traced, &aligned.text}}); }

std::string Plan::cuda_source() const {
  std::vector<emit::Bundled> bundled;
  for (std::size_t i = 0; i < kernels(); ++i) {
    const Program& one = program(i);
    const auto known = std::find_if(bundled.begin(), bundled.end(), [&](const auto& other) {
      return other.text->symbol == one.aligned.text.symbol;
    });
    if (known == bundled.end()) {
      bundled.push_back({&one.traced, &one.aligned.text});
    } else if (known->text->text != one.aligned.text.text) {
      throw Error(errors::plan["kernel-names-collide"],
                  "two different kernels of the plan are called '" + one.aligned.text.symbol + "'",
                  {"kernel", one.aligned.text.symbol, "kernels with different names", ""});
    }
  }
  return emit::bundle(bundled);
}

std::string Plan::source_of(int generated_line, bool aligned, std::size_t kernel) const {
  const Program& made = program(kernel);
  const emit::KernelText& text = (aligned ? made.aligned : made.general).text;
  return emit::source_of(text, generated_line);
}

}  // namespace tilewright
