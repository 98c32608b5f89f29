#include "tilewright/compile.hpp"

#include <algorithm>
#include <future>

#include "build.hpp"
#include "launch_arguments.hpp"
#include "tilewright/error.hpp"

namespace tilewright {

struct Plan::State {
  Device device;
  Program program;
  runtime::Function aligned, general;
};

TensorView TensorView::contiguous(CUdeviceptr data, DType dtype,
                                  std::vector<std::int64_t> extents) {
  std::vector<std::int64_t> strides(extents.size(), 1);
  for (std::size_t i = extents.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<std::int64_t>(extents[i], 1);
  return {data, dtype, std::move(extents), std::move(strides)};
}

Program make_program(const KernelSource& kernel, const std::string& arch,
                     const CompileRequest& request) {
  const passes::Target target = passes::target_of(arch);
  Program program{.traced = build(kernel, request.extents), .aligned = {}, .general = {}};
  program.aligned = lower(program.traced, target, request.schedule, true);
  program.general = lower(program.traced, target, request.schedule, false);
  return program;
}

runtime::CompileOptions compile_options() { return {}; }

namespace {

runtime::Function load(const Device& device, const emit::KernelText& text) {
  const auto compiled = runtime::compile_kernel(device, text.text, text.symbol, compile_options());
  compiled.function.set_dynamic_shared(static_cast<unsigned>(text.shared_bytes));
  return compiled.function;
}

}  // namespace

Plan compile(const Device& device, const KernelSource& kernel, const CompileRequest& request) {
  // The emulator of a later architecture runs the sm_80 shape too: the text asks for nothing newer.
  Program program = make_program(kernel, "sm_" + std::to_string(device.arch()), request);
  auto general = std::async(std::launch::async, [&] { return load(device, program.general.text); });
  runtime::Function aligned = load(device, program.aligned.text);
  runtime::Function other = general.get();
  return Plan(std::make_shared<const Plan::State>(
      Plan::State{device, std::move(program), std::move(aligned), std::move(other)}));
}

const Program& Plan::program() const { return state_->program; }
const Device& Plan::device() const { return state_->device; }

bool Plan::runs_aligned(const std::vector<Binding>& arguments) const {
  return LaunchArguments(state_->program.traced, arguments)
      .is_aligned(state_->program.aligned.text);
}

void Plan::launch(const Stream& stream, const std::vector<Binding>& arguments) const {
  if (!(stream.device() == state_->device))
    throw Error(
        ErrorKind::invalid_argument, "the stream belongs to another device than the plan",
        {.argument = "stream", .value = stream.device().spec(), .allowed = state_->device.spec()});
  const LaunchArguments given(state_->program.traced, arguments);
  const bool aligned = given.is_aligned(state_->program.aligned.text);
  const emit::KernelText& text =
      aligned ? state_->program.aligned.text : state_->program.general.text;
  given.require_positive((aligned ? state_->program.aligned : state_->program.general).scheduled);
  const std::int64_t programs = given.programs(text);
  if (programs == 0) return;
  std::vector<std::uint64_t> storage;
  std::vector<void*> parameters;
  given.pack(text, storage, parameters);
  (aligned ? state_->aligned : state_->general)
      .launch({static_cast<unsigned>(programs), 1, 1}, {static_cast<unsigned>(text.threads), 1, 1},
              static_cast<unsigned>(text.shared_bytes), stream, parameters.data());
}

std::string Plan::source_of(int generated_line, bool aligned) const {
  const emit::KernelText& text =
      aligned ? state_->program.aligned.text : state_->program.general.text;
  const auto at =
      std::lower_bound(text.lines.begin(), text.lines.end(), generated_line,
                       [](const emit::LineOrigin& origin, int line) { return origin.line < line; });
  if (at == text.lines.end() || at->line != generated_line) return "";
  return to_string(at->where);
}

}  // namespace tilewright
