// See standard_device.hpp.
#include "standard_device.hpp"

#include <doctest/doctest.h>

#include <tuple>

#include "loops/standard_forward.hpp"

namespace tilewright::test {
namespace {

template <DType T, DType W>
Plan compiled(const Shape& shape) {
  using namespace library;
  const Device& device = emulator();
  const auto weights = [&](auto mask) { return compile(device, standard_weights<W>(mask)); };
  return {compile(device, standard_scores<T, W>(), {.extents = {{D, shape.d}}}),
          shape.mask == Mask::none       ? weights(everything)
          : shape.mask == Mask::top_left ? weights(causal_top_left)
                                         : weights(causal_bottom_right),
          compile(device, standard_values<T, W>(), {.extents = {{E, shape.e}}})};
}

}  // namespace

const Plan& standard_plan(const Shape& shape, Scores scores) {
  static auto* plans =
      new std::map<std::tuple<DType, std::int64_t, std::int64_t, Mask, Scores>, Plan>;
  const auto key = std::tuple(shape.dtype, shape.d, shape.e, shape.mask, scores);
  const auto found = plans->find(key);
  if (found != plans->end()) return found->second;
  const bool narrow = scores == Scores::input;
  const Plan plan = shape.dtype == bf16
                        ? narrow ? compiled<bf16, bf16>(shape) : compiled<bf16, f32>(shape)
                    : narrow ? compiled<f16, f16>(shape)
                             : compiled<f16, f32>(shape);
  return plans->emplace(key, plan).first->second;
}

Outcome check_standard(const Shape& shape, unsigned seed, const Placements& placements,
                       Scores scores) {
  CAPTURE(describe(shape));
  CAPTURE(scores == Scores::input);
  const oracle::Problem problem = random_problem(shape, seed);
  Outcome outcome = launch(standard_plan(shape, scores), shape, problem, placements);
  const Verdict verdict = judge(shape, problem, outcome.answer, scores == Scores::input);
  INFO(describe(verdict));
  CHECK(verdict.right());
  CHECK(outcome.faults == "[]");
  CHECK_FALSE(outcome.wrote_outside);
  return outcome;
}

}  // namespace tilewright::test
