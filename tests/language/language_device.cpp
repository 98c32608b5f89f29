// See language_device.hpp.
#include "language_device.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "build.hpp"

namespace tilewright::test {

namespace {

/// Where element number `i` of a row-major tensor lies.
std::int64_t offset_of(const ir::HostTensor& tensor, std::int64_t i) {
  std::int64_t offset = 0;
  for (std::size_t axis = tensor.shape.size(); axis-- > 0;) {
    offset += i % tensor.shape[axis] * tensor.stride(axis);
    i /= tensor.shape[axis];
  }
  return offset;
}

/// Dense, or with every stride three times as large and one element in front.
ir::HostTensor placed(const Data& data, bool strided) {
  ir::HostTensor tensor = ir::HostTensor::zeros(data.dtype, data.extents);
  const std::int64_t factor = strided ? 3 : 1;
  std::int64_t stride = factor;
  tensor.strides.assign(data.extents.size(), 1);
  for (std::size_t axis = data.extents.size(); axis-- > 0;) {
    tensor.strides[axis] = stride;
    stride *= std::max<std::int64_t>(data.extents[axis], 1);
  }
  tensor.data.assign(static_cast<std::size_t>((stride + 64) * size_of(data.dtype)),
                     std::byte{0xff});
  for (std::int64_t i = 0; i < data.size(); ++i)
    if (!data.numbers.empty())
      tensor.set(offset_of(tensor, i), data.numbers[static_cast<std::size_t>(i)]);
  return tensor;
}

void judge(const std::string& how, const std::string& name, const Data& data,
           const ir::HostTensor& before, const ir::HostTensor& after) {
  std::vector<bool> ours(after.data.size(), false);
  int wrong = 0;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const std::int64_t at = offset_of(after, i);
    for (int byte = 0; byte < size_of(data.dtype); ++byte)
      ours[static_cast<std::size_t>(at * size_of(data.dtype) + byte)] = true;
    const bool written = !data.expected.empty();
    const double got = after.get(at);
    const double want = written ? data.expected[static_cast<std::size_t>(i)] : before.get(at);
    const bool same = got == want || (std::isnan(got) && std::isnan(want)) ||
                      std::fabs(got - want) <= data.tolerance * (1 + std::fabs(want));
    if (!same && ++wrong <= 3)
      FAIL_CHECK(how << ": " << name << "[" << i << "] is " << got << ", expected " << want);
  }
  CHECK_MESSAGE(wrong == 0, how << ": " << name << " has " << wrong << " wrong elements");
  bool outside = false;
  for (std::size_t byte = 0; byte < after.data.size(); ++byte)
    outside |= !ours[byte] && after.data[byte] != before.data[byte];
  CHECK_MESSAGE(!outside, how << ": something beside " << name << " was written");
}

void interpreted(const std::string& how, const ir::Kernel& kernel, const Problem& problem) {
  ir::Inputs inputs;
  inputs.scalars = problem.scalars;
  for (const auto& [name, data] : problem.tensors) inputs.tensors[name] = placed(data, false);
  const auto before = inputs.tensors;
  ir::interpret(kernel, inputs);
  for (const auto& [name, data] : problem.tensors)
    judge(how, name, data, before.at(name), inputs.tensors.at(name));
}

void launched(const Plan& plan, const Problem& problem, bool strided) {
  const std::string how = std::string("emulator, ") + (strided ? "strided" : "dense");
  const Device& device = plan.device();
  std::map<std::string, ir::HostTensor> tensors;
  std::map<std::string, Buffer> buffers;
  std::vector<Binding> bindings;
  for (const auto& [name, data] : problem.tensors) {
    const ir::HostTensor& tensor = tensors[name] = placed(data, strided);
    Buffer& buffer = buffers[name] = Buffer(device, tensor.data.size());
    buffer.upload(tensor.data.data(), tensor.data.size());
    bindings.emplace_back(name,
                          TensorView{buffer.address(), data.dtype, tensor.shape, tensor.strides});
  }
  for (const auto& [name, number] : problem.scalars) bindings.emplace_back(name, number);
  device.emulator()->reset();
  plan.launch(Stream::default_stream(device), bindings);
  const std::string faults = device.emulator()->faults();
  device.emulator()->reset();
  for (const auto& [name, data] : problem.tensors) {
    ir::HostTensor after = tensors.at(name);
    buffers.at(name).download(after.data.data(), after.data.size());
    judge(how, name, data, tensors.at(name), after);
  }
  CHECK_MESSAGE(faults == "[]", how << ": " << faults.substr(0, 600));
}

}  // namespace

std::int64_t Data::size() const {
  std::int64_t product = 1;
  for (const std::int64_t extent : extents) product *= extent;
  return product;
}

std::vector<double> noise(std::int64_t count, unsigned seed) {
  std::vector<double> numbers;
  for (std::int64_t i = 0; i < count; ++i) {
    seed = seed * 1664525u + 1013904223u;
    numbers.push_back((static_cast<int>(seed >> 25) - 64) / 64.0);
  }
  return numbers;
}

std::vector<double> integers(std::int64_t count, int low, int high, unsigned seed) {
  std::vector<double> numbers;
  for (std::int64_t i = 0; i < count; ++i) {
    seed = seed * 1664525u + 1013904223u;
    numbers.push_back(low + static_cast<int>((seed >> 8) % static_cast<unsigned>(high - low + 1)));
  }
  return numbers;
}

const Device& emulator() {
  static const Device device = [] {
    ::setenv("TILEWRIGHT_CACHE_DIR", TILEWRIGHT_TEST_CACHE, 1);
    return Device::open("emulator:sm_80");
  }();
  return device;
}

void check(const KernelSource& kernel, const Problem& problem) {
  CAPTURE(kernel.name());
  const Plan plan = compile(emulator(), kernel, {problem.bound, problem.schedule});
  const Program& program = plan.program();
  interpreted("as traced", program.traced, problem);
  interpreted("as scheduled", program.aligned.scheduled, problem);
  interpreted("as scheduled, any strides", program.general.scheduled, problem);
  launched(plan, problem, false);
  launched(plan, problem, true);
}

}  // namespace tilewright::test
