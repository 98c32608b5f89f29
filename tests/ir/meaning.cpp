// The interpreter against plain loops in double precision, over odd shapes, tiles, strides, masks
// and empty rows; and single rules of the IR's contract.
#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "ir/interpret.hpp"
#include "ir/print.hpp"
#include "softmax_kernel.hpp"
#include "tilewright/error.hpp"

using namespace tilewright;
using namespace tilewright::test;
using ir::HostTensor;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

HostTensor random_tensor(DType dtype, std::vector<std::int64_t> shape, unsigned seed) {
  HostTensor tensor = HostTensor::zeros(dtype, shape);
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  for (std::int64_t i = 0; i < count; ++i) tensor.set(i, normal(random));
  return tensor;
}

ir::Inputs inputs_for(DType dtype, std::int64_t batch, std::int64_t rows, std::int64_t keys,
                      std::int64_t depth, std::int64_t width) {
  ir::Inputs inputs;
  inputs.tensors["q"] = random_tensor(dtype, {batch, rows, depth}, 1);
  inputs.tensors["k"] = random_tensor(dtype, {batch, keys, depth}, 2);
  inputs.tensors["v"] = random_tensor(dtype, {batch, keys, width}, 3);
  inputs.tensors["out"] = HostTensor::zeros(dtype, {batch, rows, width});
  inputs.tensors["lse"] = HostTensor::zeros(DType::f32, {batch, rows});
  inputs.scalars["scale"] = 1.442695 / std::sqrt(static_cast<double>(depth));
  return inputs;
}

using Visible = std::function<bool(std::int64_t, std::int64_t)>;

/// The largest difference from three plain loops in double precision; LSE in base 2.
double worst_error(const ir::Inputs& in, const Visible& visible) {
  const HostTensor &q = in.tensors.at("q"), &k = in.tensors.at("k"), &v = in.tensors.at("v");
  const HostTensor &out = in.tensors.at("out"), &lse = in.tensors.at("lse");
  const std::int64_t rows = q.shape[1], keys = k.shape[1], depth = q.shape[2], width = v.shape[2];
  double worst = 0;
  for (std::int64_t b = 0; b < q.shape[0]; ++b)
    for (std::int64_t r = 0; r < rows; ++r) {
      std::vector<double> s(static_cast<std::size_t>(keys), -infinity);
      double top = -infinity, sum = 0;
      for (std::int64_t c = 0; c < keys; ++c) {
        if (!visible(r, c)) continue;
        double dot = 0;
        for (std::int64_t i = 0; i < depth; ++i)
          dot += q.get((b * rows + r) * depth + i) * k.get((b * keys + c) * depth + i);
        s[static_cast<std::size_t>(c)] = dot * in.scalars.at("scale");
        top = std::max(top, s[static_cast<std::size_t>(c)]);
      }
      for (double& x : s) sum += x = top == -infinity ? 0 : std::exp2(x - top);
      const double expected = top + std::log2(sum);
      const double given = lse.get(b * rows + r);
      if (sum == 0)
        CHECK(given == -infinity);
      else
        worst = std::max(worst, std::abs(given - expected));
      for (std::int64_t e = 0; e < width; ++e) {
        double value = 0;
        for (std::int64_t c = 0; c < keys; ++c)
          value += s[static_cast<std::size_t>(c)] * v.get((b * keys + c) * width + e);
        value = sum == 0 ? 0 : value / sum;
        worst = std::max(worst, std::abs(value - out.get((b * rows + r) * width + e)));
      }
    }
  return worst;
}

double run(const SoftmaxShape& shape, std::int64_t rows, std::int64_t keys, const MaskMaker& mask,
           const Visible& visible) {
  const ir::Kernel kernel = softmax_kernel(shape, mask);
  verify(kernel, "the test's builder");
  ir::Inputs inputs = inputs_for(shape.dtype, 2, rows, keys, shape.depth, shape.width);
  interpret(kernel, inputs);
  return worst_error(inputs, visible);
}

/// One row of i32 results of a pointwise operation on scalars.
std::int64_t scalar_result(Op op, std::vector<std::int64_t> operands) {
  KernelBuilder b("scalar");
  b.tensor(Argument::Kind::out, "o", DType::i32, {"n"});
  std::vector<ValueId> values;
  for (const std::int64_t x : operands) values.push_back(b.number(x));
  b.store("o", {b.at(b.number(0))}, b.cast(DType::i32, b.apply(op, values)));
  verify(b.kernel, "test");
  ir::Inputs inputs;
  inputs.tensors["o"] = HostTensor::zeros(DType::i32, {1});
  interpret(b.kernel, inputs);
  return static_cast<std::int64_t>(inputs.tensors["o"].get(0));
}

}  // namespace

TEST_CASE("softmax without a mask, odd extents and tiles") {
  const Visible all = [](std::int64_t, std::int64_t) { return true; };
  for (const int tile : {1, 7, 16, 65})
    for (const std::int64_t extent : {1, 15, 17, 65}) {
      CAPTURE(tile);
      CAPTURE(extent);
      CHECK(run({tile, 16, 8, 12, DType::f32}, extent, 33, nullptr, all) < 2e-5);
      CHECK(run({16, tile, 5, 3, DType::f32}, 9, extent, nullptr, all) < 2e-5);
    }
}

TEST_CASE("masks: lower triangle with rows that see nothing, in every element type") {
  for (const auto& [rows, keys] : {std::pair{5, 2}, {2, 5}, {40, 33}, {33, 70}}) {
    const Visible visible = [rows = rows, keys = keys](std::int64_t q, std::int64_t k) {
      return q + keys - rows >= k;
    };
    CAPTURE(rows);
    CHECK(run({16, 8, 8, 12, DType::f32}, rows, keys, bottom_right, visible) < 2e-5);
    CHECK(run({16, 8, 8, 12, DType::f16}, rows, keys, bottom_right, visible) < 4e-3);
    CHECK(run({16, 8, 8, 12, DType::bf16}, rows, keys, bottom_right, visible) < 4e-2);
  }
}

TEST_CASE("no keys at all: zero and -inf") {
  CHECK(run({}, 3, 0, bottom_right, [](std::int64_t, std::int64_t) { return false; }) == 0);
}

TEST_CASE("hidden elements are not read: NaN behind the mask stays there") {
  const ir::Kernel kernel = softmax_kernel({16, 8, 8, 12, DType::f32}, bottom_right);
  ir::Inputs inputs = inputs_for(DType::f32, 1, 9, 9, 8, 12);
  for (int e = 0; e < 12; ++e) inputs.tensors["v"].set(8 * 12 + e, NAN);
  interpret(kernel, inputs);
  for (int i = 0; i < 8 * 12; ++i) CHECK(std::isfinite(inputs.tensors["out"].get(i)));
  CHECK(std::isnan(inputs.tensors["out"].get(8 * 12)));
}

TEST_CASE("strides: a transposed input gives the same result") {
  const ir::Kernel kernel = softmax_kernel({16, 8, 8, 12, DType::f32}, nullptr);
  ir::Inputs dense = inputs_for(DType::f32, 2, 9, 11, 8, 12);
  ir::Inputs strided = dense;
  HostTensor& k = strided.tensors["k"];
  k.strides = {8, 16, 1};  // [batch, kv, d] stored as [kv, batch, d]
  for (int b = 0; b < 2; ++b)
    for (int n = 0; n < 11; ++n)
      for (int i = 0; i < 8; ++i)
        k.set(b * 8 + n * 16 + i, dense.tensors["k"].get((b * 11 + n) * 8 + i));
  interpret(kernel, dense);
  interpret(kernel, strided);
  CHECK(dense.tensors["out"].data == strided.tensors["out"].data);
}

TEST_CASE("integers wrap, and divide toward -inf") {
  CHECK(scalar_result(Op::div, {-7, 2}) == -4);
  CHECK(scalar_result(Op::mod, {-7, 2}) == 1);
  CHECK(scalar_result(Op::mod, {7, -2}) == -1);
  CHECK(scalar_result(Op::add, {2147483647, 1}) == -2147483648LL);
  CHECK(scalar_result(Op::mul, {65536, 65536}) == 0);
  CHECK(scalar_result(Op::shr, {-8, 1}) == -4);
  CHECK(scalar_result(Op::shl, {3, 4}) == 48);
  CHECK(scalar_result(Op::lt, {-1, 0}) == 1);
  CHECK(scalar_result(Op::bit_not, {5}) == -6);
  CHECK(scalar_result(Op::div, {5, 0}) == 0);
}

TEST_CASE("a store under a mask writes visible elements only") {
  KernelBuilder b("scatter");
  b.tensor(Argument::Kind::out, "o", DType::i32, {"q", "kv"});
  const ir::AxisId rows = b.blocks("q", 4), keys = b.loop_axis("kv", 4);
  b.for_blocks(
      keys, {},
      [&] {
        return b.apply(Op::lt, {b.index(keys), b.index(rows)});
      },
      [&](const KernelBuilder::Values&) {
        const ValueId sum = b.apply(Op::add, {b.index(rows), b.index(keys)});
        b.store("o", {b.over(rows), b.over(keys)}, sum);
        return KernelBuilder::Values{};
      });
  verify(b.kernel, "test");
  ir::Inputs inputs;
  inputs.tensors["o"] = HostTensor::zeros(DType::i32, {6, 9});
  for (int i = 0; i < 54; ++i) inputs.tensors["o"].set(i, -1);
  interpret(b.kernel, inputs);
  for (int q = 0; q < 6; ++q)
    for (int k = 0; k < 9; ++k) CHECK(inputs.tensors["o"].get(q * 9 + k) == (k < q ? q + k : -1));
}

TEST_CASE("loops that count, and a maximum over nothing") {
  KernelBuilder b("count");
  b.tensor(Argument::Kind::out, "o", DType::f32, {"n"});
  const auto sum = b.for_range(
      b.number(5), {b.constant(DType::f32, 1)}, [&](ValueId i, const KernelBuilder::Values& c) {
        return KernelBuilder::Values{b.apply(Op::add, {c[0], b.cast(DType::f32, i)})};
      });
  b.store("o", {b.at(b.number(0))}, sum[0]);
  verify(b.kernel, "test");
  ir::Inputs inputs;
  inputs.tensors["o"] = HostTensor::zeros(DType::f32, {1});
  interpret(b.kernel, inputs);
  CHECK(inputs.tensors["o"].get(0) == 11);
}

TEST_CASE("refusals name what is wrong") {
  const ir::Kernel kernel = softmax_kernel({}, nullptr);
  ir::Inputs good = inputs_for(DType::bf16, 1, 9, 9, 8, 12);
  const auto wrong = [&](ir::Inputs inputs, const std::string& id = {}) {
    try {
      interpret(kernel, inputs);
    } catch (const Error& error) {
      CHECK(error.id() == id);
      return error.argument();
    }
    return std::string("accepted");
  };
  CHECK(wrong(good) == "accepted");
  ir::Inputs bad = good;
  bad.tensors.erase("k");
  CHECK(wrong(bad, "interpreter-input-missing") == "k");
  bad = good;
  bad.scalars.clear();
  CHECK(wrong(bad, "interpreter-input-missing") == "scale");
  bad = good;
  bad.tensors["v"] = HostTensor::zeros(DType::bf16, {1, 8, 12});
  CHECK(wrong(bad, "interpreter-shape-disagrees") == "v");
  bad = good;
  bad.tensors["v"] = HostTensor::zeros(DType::f16, {1, 9, 12});
  CHECK(wrong(bad, "interpreter-type-disagrees") == "v");
  bad = good;
  bad.tensors.erase("lse");  // an output bound to nothing drops its stores
  CHECK(wrong(bad) == "accepted");
}

TEST_CASE("200 x 333, d = 80 is fast enough to be an oracle") {
  CHECK(run({64, 64, 80, 80, DType::bf16}, 200, 333, bottom_right,
            [](std::int64_t q, std::int64_t k) { return q + 133 >= k; }) < 4e-2);
}
