// Every pass keeps the meaning: the interpreter runs `flash` as traced and after each pass, and
// each time it agrees with the oracle.
#include <doctest/doctest.h>

#include "build.hpp"
#include "flash_device.hpp"
#include "ir/interpret.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

ir::HostTensor tensor_of(DType dtype, std::vector<std::int64_t> shape,
                         const std::vector<double>& values) {
  ir::HostTensor tensor = ir::HostTensor::zeros(dtype, std::move(shape));
  for (std::size_t i = 0; i < values.size(); ++i)
    tensor.set(static_cast<std::int64_t>(i), values[i]);
  return tensor;
}

oracle::Answer interpreted(const ir::Kernel& kernel, const Shape& s, const oracle::Problem& p) {
  ir::Inputs inputs;
  inputs.tensors["q"] = tensor_of(s.dtype, {s.batch, s.heads, s.q, s.d}, p.q);
  inputs.tensors["k"] = tensor_of(s.dtype, {s.batch, s.kv_heads, s.kv, s.d}, p.k);
  inputs.tensors["v"] = tensor_of(s.dtype, {s.batch, s.kv_heads, s.kv, s.e}, p.v);
  inputs.tensors["out"] = ir::HostTensor::zeros(s.dtype, {s.batch, s.heads, s.q, s.e});
  inputs.tensors["lse"] = ir::HostTensor::zeros(f32, {s.batch, s.heads, s.q});
  inputs.scalars["softmax_scale"] = s.softmax_scale();
  ir::interpret(kernel, inputs);
  oracle::Answer answer;
  for (std::int64_t i = 0; i < s.batch * s.heads * s.q * s.e; ++i)
    answer.out.push_back(inputs.tensors["out"].get(i));
  for (std::int64_t i = 0; i < s.batch * s.heads * s.q; ++i)
    answer.lse.push_back(inputs.tensors["lse"].get(i));
  return answer;
}

}  // namespace

TEST_CASE("traced, after each pass, and scheduled: one meaning") {
  const Shape shapes[] = {
      {1, 2, 1, 17, 33, 24, 8, Mask::bottom_right, bf16},
      {2, 2, 2, 33, 18, 16, 16, Mask::bottom_right, f16},  // rows without a key
      {1, 3, 1, 5, 65, 7, 3, Mask::top_left, bf16},
      {1, 1, 1, 16, 16, 32, 32, Mask::none, bf16, -0.7, true},
      {1, 1, 1, 20, 0, 16, 16, Mask::none, bf16},
      {1, 1, 1, 40, 50, 16, 16, Mask::bottom_right, f16, 0.0, true},
  };
  for (const Shape& s : shapes)
    for (const bool aligned : {true, false}) {
      CAPTURE(describe(s));
      CAPTURE(aligned);
      const oracle::Problem problem = random_problem(s, 12);
      const ir::Kernel traced = build(*flash_kernel(s), {{"d", s.d}, {"e", s.e}});
      const auto agree = [&](const std::string& stage, const ir::Kernel& kernel) {
        CAPTURE(stage);
        const Verdict verdict = judge(s, problem, interpreted(kernel, s, problem));
        INFO(describe(verdict));
        CHECK(verdict.right());
      };
      agree("traced", traced);
      ir::Schedule small;  // tiles below the lengths, so that there are skipped, full and cut ones
      small.tile = {{"q", 16}, {"kv", 16}};
      int passes = 0;
      const Lowered lowered = lower(traced, passes::target_of("sm_80"), small, aligned,
                                    [&](const std::string& pass, const ir::Kernel& kernel) {
                                      agree(pass, kernel);
                                      ++passes;
                                    });
      agree("scheduled", lowered.scheduled);
      CHECK(passes >= 11);
    }
}
