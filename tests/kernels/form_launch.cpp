// See form_launch.hpp.
#include "kernels/form_launch.hpp"

#include "kernel_form.hpp"
#include "runtime/module.hpp"

namespace tilewright::test {

void launch_form(const Device& device, const Program& program, bool aligned, const std::string& ptx,
                 const std::vector<Binding>& arguments) {
  const Lowered& lowered = aligned ? program.aligned : program.general;
  const emit::KernelText& text = lowered.text;
  const runtime::CompiledImage image{
      .bytes = ptx, .kind = runtime::ImageKind::ptx, .architecture = "sm_80"};
  const auto function = runtime::Module::load(device, image).function(text.symbol);
  function.set_dynamic_shared(static_cast<unsigned>(text.shared_bytes));

  ir::Kernel traced = program.traced.clone();
  for (Argument& argument : traced.arguments) argument.temporary = false;
  Signature signature;
  signature.add(traced, 0, "kernel '" + traced.name + "'");
  const KernelForm form(signature, lowered);
  const LaunchArguments given(signature, arguments);
  std::vector<std::uint64_t> storage(form.parameters());
  std::vector<void*> parameters(form.parameters());
  form.pack(given, storage.data(), parameters.data());
  device.emulator()->reset();
  function.launch({static_cast<unsigned>(form.programs(given)), 1, 1},
                  {static_cast<unsigned>(text.threads), 1, 1},
                  static_cast<unsigned>(text.shared_bytes), Stream::default_stream(device),
                  parameters.data());
  device.synchronize();
}

DeviceTensors::DeviceTensors(const Device& device,
                             const std::map<std::string, ir::HostTensor>& tensors)
    : tensors_(tensors) {
  for (const auto& [name, tensor] : tensors_) {
    Buffer& buffer = buffers_[name] = Buffer(device, tensor.data.size());
    if (!tensor.data.empty()) buffer.upload(tensor.data.data(), tensor.data.size());
  }
}

std::vector<Binding> DeviceTensors::bindings() const {
  std::vector<Binding> bindings;
  for (const auto& [name, tensor] : tensors_)
    bindings.emplace_back(
        name, TensorView::contiguous(buffers_.at(name).address(), tensor.dtype, tensor.shape));
  return bindings;
}

std::map<std::string, ir::HostTensor> DeviceTensors::download() const {
  std::map<std::string, ir::HostTensor> result = tensors_;
  for (auto& [name, tensor] : result)
    if (!tensor.data.empty()) buffers_.at(name).download(tensor.data.data(), tensor.data.size());
  return result;
}

}  // namespace tilewright::test
