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

TEST_CASE("a product takes nothing from past the end, where 1 / x is infinite") {
  for (const bool left : {true, false}) {
    CAPTURE(left);
    KernelBuilder b("inverse");
    b.tensor(Argument::Kind::in, "x", DType::bf16, {"m", "n"});
    b.tensor(Argument::Kind::in, "v", DType::bf16, {"n", "e"});
    b.tensor(Argument::Kind::out, "out", DType::f32, {"m", "e"});
    const ir::AxisId m = b.blocks("m", 16), e = b.whole("e", 16), n = b.loop_axis("n", 16);
    const auto sum =
        b.for_blocks(n, {b.filled(DType::f32, 0, {m, e})}, {}, [&](const KernelBuilder::Values& c) {
          const auto inverse = [&](ValueId x) {
            const ValueId one = b.constant(DType::f32, 1);
            return b.cast(DType::bf16, b.apply(Op::div, {one, b.cast(DType::f32, x)}));
          };
          ValueId x = b.load("x", {b.over(m), b.over(n)}), v = b.load("v", {b.over(n), b.over(e)});
          (left ? x : v) = inverse(left ? x : v);
          return KernelBuilder::Values{b.apply(Op::add, {c[0], b.dot(x, v, n)})};
        });
    b.store("out", {b.over(m), b.over(e)}, sum[0]);
    ir::Inputs inputs;
    inputs.tensors["x"] = filled(DType::bf16, {3, 17}, 2);
    inputs.tensors["v"] = filled(DType::bf16, {17, 16}, 0.5);
    inputs.tensors["out"] = filled(DType::f32, {3, 16}, 0);
    const ir::Inputs result = check_same(b.kernel, inputs, passes::apply_masks);
    CHECK(result.tensors.at("out").get(0) == 17 * (left ? 0.25 : 4));
  }
}

TEST_CASE("a reduction over an outer loop's dimension keeps that loop's mask in an inner loop") {
  KernelBuilder b("nested");
  b.tensor(Argument::Kind::in, "x", DType::f32, {"m", "n"});
  b.tensor(Argument::Kind::in, "y", DType::f32, {"p"});
  b.tensor(Argument::Kind::out, "out", DType::f32, {"m"});
  const ir::AxisId m = b.blocks("m", 16), n = b.loop_axis("n", 16), p = b.loop_axis("p", 16);
  const auto mask = [&] { return b.apply(Op::ge, {b.index(m), b.index(n)}); };
  const auto outer = b.for_blocks(
      n, {b.filled(DType::f32, 0, {m})}, mask, [&](const KernelBuilder::Values& carried) {
        const ValueId x = b.load("x", {b.over(m), b.over(n)});
        return b.for_blocks(p, carried, {}, [&](const KernelBuilder::Values& c) {
          const ValueId y = b.reduce(Op::reduce_max, b.load("y", {b.over(p)}), p);
          const ValueId row = b.reduce(Op::reduce_sum, b.apply(Op::mul, {x, y}), n);
          return KernelBuilder::Values{b.apply(Op::add, {c[0], row})};
        });
      });
  b.store("out", {b.over(m)}, outer[0]);
  ir::Inputs inputs;
  inputs.tensors["x"] = filled(DType::f32, {17, 17}, 1);
  inputs.tensors["y"] = filled(DType::f32, {20}, 2);
  inputs.tensors["out"] = filled(DType::f32, {17}, -7);
  passes::analyze_masks(b.kernel);
  const ir::Inputs result = check_same(b.kernel, inputs, passes::apply_masks);
  for (int row = 0; row < 17; ++row) CHECK(result.tensors.at("out").get(row) == 2 * 2 * (row + 1));
}

TEST_CASE("a store under a mask writes what the mask shows, once the mask is explicit too") {
  KernelBuilder b("stores");
  b.tensor(Argument::Kind::out, "out", DType::i32, {"m", "n"});
  const ir::AxisId m = b.blocks("m", 16), n = b.loop_axis("n", 16);
  b.for_blocks(
      n, {},
      [&] {
        return b.apply(Op::ge, {b.index(m), b.index(n)});
      },
      [&](const KernelBuilder::Values&) {
        b.store("out", {b.over(m), b.over(n)}, b.apply(Op::add, {b.index(m), b.index(n)}));
        return KernelBuilder::Values{};
      });
  ir::Inputs inputs;
  inputs.tensors["out"] = filled(DType::i32, {17, 33}, -7);
  passes::analyze_masks(b.kernel);
  const ir::Inputs result = check_same(b.kernel, inputs, passes::apply_masks);
  for (int row = 0; row < 17; ++row)
    for (int k = 0; k < 33; ++k)
      CHECK(result.tensors.at("out").get(row * 33 + k) == (row >= k ? row + k : -7));
  // What a target makes of it: the condition is the store's operand.
  const ir::Operation& loop = *b.kernel.body.operations.back();
  const ir::Region& body = *loop.regions[1];
  const ir::Operation& store = *body.operations[body.operations.size() - 2];
  REQUIRE(store.op == Op::store);
  REQUIRE(store.operands.size() == 2);
  CHECK(b.kernel.type(store.operands[1]).dtype == DType::b1);
  CHECK(store.cut_only);
}
