// A plan's launch promises that a CUDA graph can capture it: nothing is allocated, loaded or waited
// for, which a capture forbids. So launch one while its stream is captured, and replay it.
#include <cuda.h>

#include "plan_kernels.hpp"

using namespace plans;

namespace {

/// Nothing may go wrong here.
void call(CUresult result) { REQUIRE(static_cast<int>(result) == static_cast<int>(CUDA_SUCCESS)); }

}  // namespace

TEST_CASE("a plan of kernels, a memset and a copy is captured once and replayed on new numbers") {
  const Device& device = emulator();
  Plan plan{chain(), zero(device, Out<"w", f32, R, C>{}),
            copy(device, In<"x", f32, R, C>{}, Out<"z", f32, R, C>{})};
  plan.reserve({{R, 5}, {C, 77}});
  const Floats x(5, 77, 2), y(5, 77, 0), w(5, 77, 9), z(5, 77, 0);
  const Stream stream(device);
  call(cuStreamBeginCapture(stream.handle(), CU_STREAM_CAPTURE_MODE_GLOBAL));
  plan.launch(stream, {{"x", x.view()}, {"y", y.view()}, {"w", w.view()}, {"z", z.view()}});
  CUgraph graph = nullptr;
  call(cuStreamEndCapture(stream.handle(), &graph));
  std::size_t nodes = 0;
  call(cuGraphGetNodes(graph, nullptr, &nodes));
  CHECK(nodes == 6);
  CHECK(y.values()[0] == y.at(0));  // nothing has run
  CUgraphExec exec = nullptr;
  call(cuGraphInstantiate(&exec, graph, 0));
  call(cuGraphDestroy(graph));
  for (const float shift : {0.f, 3.5f}) {
    std::vector<float> numbers = x.values();
    for (float& each : numbers) each += shift;
    call(cuMemcpyHtoDAsync(x.view().data, numbers.data(), numbers.size() * 4, stream.handle()));
    call(cuGraphLaunch(exec, stream.handle()));
    stream.synchronize();
    const auto result = y.values(), zeros = w.values(), copied = z.values();
    for (std::size_t i = 0; i < result.size(); ++i) {
      CHECK(result[i] == static_cast<float>(expected(numbers[i])));
      CHECK(zeros[i] == 0);
      CHECK(copied[i] == numbers[i]);
    }
  }
  call(cuGraphExecDestroy(exec));
  CHECK(std::string(device.emulator()->faults()) == "[]");
}
