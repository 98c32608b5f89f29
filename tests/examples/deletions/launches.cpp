// See launches.hpp. Shapes are small, odd, and chosen so that every barrier and every wait matters
// in one of them: several tiles of both sequences, a ragged tail, and rows that see no key at all,
// where the loop never runs and only what stands around it keeps order.
#include "launches.hpp"

#include "ir/interpret.hpp"
#include "kernels/specimens.hpp"
#include "loops/flash_forward.hpp"

const tilewright::KernelSource& add_lesson();
const tilewright::KernelSource& softmax_lesson();
const tilewright::KernelSource& flash_lesson();

namespace tilewright::test {
namespace {

/// Device memory of `extents`, filled with a small number that is one in every type.
Binding tensor(Launch& launch, const Device& device, const std::string& name, DType dtype,
               const std::vector<std::int64_t>& extents) {
  std::size_t bytes = static_cast<std::size_t>(size_of(dtype));
  for (const std::int64_t extent : extents) bytes *= static_cast<std::size_t>(extent);
  launch.buffers.emplace_back(device, bytes);
  launch.buffers.back().fill(0x3c);
  return {name, TensorView::contiguous(launch.buffers.back().address(), dtype, extents)};
}

Launch rows_and_columns(const Device& device, const std::vector<std::string>& names,
                        std::int64_t rows, std::int64_t columns) {
  Launch launch{std::to_string(rows) + " x " + std::to_string(columns), {}, {}};
  for (const std::string& name : names)
    launch.arguments.push_back(
        tensor(launch, device, name, f32,
               name == "bias" ? std::vector<std::int64_t>{columns} : std::vector{rows, columns}));
  return launch;
}

Launch sequences(const Device& device, std::int64_t q, std::int64_t kv, std::int64_t e) {
  Launch launch{"q " + std::to_string(q) + ", kv " + std::to_string(kv), {}, {}};
  const auto add = [&](const char* name, DType dtype, const std::vector<std::int64_t>& extents) {
    launch.arguments.push_back(tensor(launch, device, name, dtype, extents));
  };
  add("q", bf16, {1, 2, q, 64});
  add("k", bf16, {1, 2, kv, 64});
  add("v", bf16, {1, 2, kv, e});
  add("out", bf16, {1, 2, q, e});
  add("lse", f32, {1, 2, q});
  launch.arguments.emplace_back("softmax_scale", 0.125);
  return launch;
}

Launch launch_of(const Device& device, const std::vector<SpecimenTensor>& tensors,
                 const std::map<std::string, double>& scalars) {
  Launch launch;
  for (const SpecimenTensor& tensor : tensors) {
    ir::HostTensor host = ir::HostTensor::zeros(tensor.dtype, tensor.extents);
    const auto numbers = numbers_of(tensor);
    for (std::size_t i = 0; i < numbers.size(); ++i)
      host.set(static_cast<std::int64_t>(i), numbers[i]);
    launch.shape += tensor.name + " ";
    for (const std::int64_t extent : tensor.extents) launch.shape += std::to_string(extent) + " ";
    launch.buffers.emplace_back(device, host.data.size());
    if (!host.data.empty()) launch.buffers.back().upload(host.data.data(), host.data.size());
    launch.arguments.emplace_back(
        tensor.name,
        TensorView::contiguous(launch.buffers.back().address(), tensor.dtype, tensor.extents));
  }
  for (const auto& [name, number] : scalars) launch.arguments.emplace_back(name, number);
  return launch;
}

}  // namespace

std::vector<Subject> subjects(const Device& device) {
  const std::string root = TILEWRIGHT_ROOT;
  // Values as wide as keys, and narrower ones: their results then lie across the rows of q.
  const CompileRequest square{.extents = {{"d", 64}, {"e", 64}}, .schedule = {}},
      narrow{.extents = {{"d", 64}, {"e", 48}}, .schedule = {}};
  const auto full = library::flash_forward<bf16>(library::everything);
  std::vector<Subject> all;
  for (const bool aligned : {true, false}) {
    const std::int64_t columns = aligned ? 332 : 333;  // 16-byte rows, or not
    const auto add = [&](const std::string& name, const KernelSource& kernel,
                         const std::string& file, const std::string& folder,
                         const CompileRequest& request) -> Subject& {
      return all.emplace_back(Subject{name + (aligned ? "" : ", any strides"),
                                      file,
                                      root + "/" + folder,
                                      make_program(kernel, "sm_80", request),
                                      aligned,
                                      {}});
    };
    add("add", add_lesson(), "examples/01_add.cpp", "examples/01_add.cpp", {})
        .launches.push_back(rows_and_columns(device, {"a", "b", "bias", "sum"}, 50, columns));
    add("softmax", softmax_lesson(), "examples/02_softmax.cpp", "examples/02_softmax.cpp", {})
        .launches.push_back(rows_and_columns(device, {"x", "y"}, 50, columns));
    const auto run = [&](Subject& flash, bool causal, std::int64_t e) {
      flash.launches.push_back(sequences(device, 200, 333, e));
      // Rows that see nothing, several tiles of them; without a mask that takes an empty sequence.
      flash.launches.push_back(causal ? sequences(device, 600, 20, e)
                                      : sequences(device, 200, 0, e));
    };
    const std::string loop = "loops/flash_forward.hpp";
    run(add("flash, causal", flash_lesson(), "examples/04_flash.cpp", "examples/04_flash.cpp",
            square),
        true, 64);
    run(add("flash, full", full, loop, "library/" + loop, narrow), false, 48);
    for (const Specimen& one : specimens()) {
      Subject& subject = add(one.name, *one.kernel, one.file, one.path, one.request);
      for (const auto& tensors : one.launches)
        subject.launches.push_back(launch_of(device, tensors, one.scalars));
    }
  }
  return all;
}

}  // namespace tilewright::test
