#include "tilewright/compile.hpp"

#include <future>

#include "build.hpp"
#include "plan_state.hpp"

namespace tilewright {

Program make_program(const KernelSource& kernel, const std::string& arch,
                     const CompileRequest& request) {
  const passes::Target target = passes::target_of(arch);
  Program program{.traced = build(kernel, request.extents), .aligned = {}, .general = {}};
  program.aligned = lower(program.traced, target, request.schedule, true);
  program.general = lower(program.traced, target, request.schedule, false);
  return program;
}

runtime::CompileOptions compile_options() { return {}; }

runtime::CompileOptions compile_options(const emit::KernelText& text) {
  runtime::CompileOptions options = compile_options();
  options.origins = [&text](int line) { return emit::source_of(text, line); };
  return options;
}

std::string program_arch(const std::string& device_architecture) {
  // The emulator of a later architecture runs the sm_80 shape too: the text asks for nothing newer.
  return device_architecture.substr(0, device_architecture.find_last_not_of('a') + 1);
}

namespace {

runtime::Function load(const Device& device, const emit::KernelText& text) {
  const auto compiled =
      runtime::compile_kernel(device, text.text, text.symbol, compile_options(text));
  compiled.function.set_dynamic_shared(static_cast<unsigned>(text.shared_bytes));
  return compiled.function;
}

}  // namespace

Plan compile(const Device& device, const KernelSource& kernel, const CompileRequest& request) {
  Program program = make_program(kernel, program_arch(device.architecture()), request);
  auto general = std::async(std::launch::async, [&] { return load(device, program.general.text); });
  runtime::Function aligned = load(device, program.aligned.text);
  runtime::Function other = general.get();
  std::vector<Part> parts;
  parts.emplace_back(KernelPart{std::make_shared<const Program>(std::move(program)),
                                std::move(aligned), std::move(other)});
  return PlanState::plan(device, std::move(parts));
}

}  // namespace tilewright
