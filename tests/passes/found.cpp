// What random programs have found, each as the smallest program that shows it: the kernel as built
// and after one pass give the same outputs.
#include <doctest/doctest.h>

#include "../ir/kernel_builder.hpp"
#include "agreement.hpp"
#include "passes/analyze_masks.hpp"
#include "passes/passes.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

ir::HostTensor filled(DType dtype, std::vector<std::int64_t> shape, double value) {
  ir::HostTensor tensor = ir::HostTensor::zeros(dtype, shape);
  const auto count = static_cast<std::int64_t>(tensor.data.size()) / size_of(dtype);
  for (std::int64_t i = 0; i < count; ++i) tensor.set(i, value);
  return tensor;
}

template <typename Pass>
ir::Inputs check_same(ir::Kernel& kernel, const ir::Inputs& inputs, Pass pass) {
  verify(kernel, "the test's builder");
  const Run before = interpreted(kernel, inputs);
  pass(kernel);
  verify(kernel, "the pass");
  CHECK(difference(before.result, interpreted(kernel, inputs).result) == "");
  return before.result;
}

}  // namespace

TEST_CASE("a product of integer constants wraps, it does not round") {
  KernelBuilder b("constants");
  b.tensor(Argument::Kind::out, "out", DType::i32, {"m"});
  const ir::AxisId m = b.blocks("m", 4);
  const ValueId product = b.apply(Op::mul, {b.number(-987654321), b.number(-1640531527)});
  b.store("out", {b.over(m)}, b.apply(Op::add, {b.index(m), product}));
  ir::Inputs inputs;
  inputs.tensors["out"] = filled(DType::i32, {1}, 0);
  const ir::Inputs result = check_same(b.kernel, inputs, passes::simplify);
  CHECK(result.tensors.at("out").get(0) == -1715228905.);
}
