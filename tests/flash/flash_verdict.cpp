// See flash_device.hpp: problems and verdicts. Nothing here knows the code under test.
#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <sstream>

#include "flash_device.hpp"

namespace tilewright::test {
namespace {

/// Of an LSE, relative, in f32: the factor, its log2(e), the product, and back to natural
/// logarithms.
constexpr double four_roundings = 0x1p-22;

}  // namespace

double Shape::softmax_scale() const {
  return explicit_scale ? scale : 1 / std::sqrt(static_cast<double>(d));
}

std::string describe(const Shape& s) {
  constexpr const char* masks[] = {"", " causal", " causal top-left"};
  std::ostringstream text;
  text << name(s.dtype) << " batch " << s.batch << " heads " << s.heads << "/" << s.kv_heads
       << " q " << s.q << " kv " << s.kv << " d " << s.d << " e " << s.e
       << masks[static_cast<int>(s.mask)] << " scale " << s.softmax_scale();
  return text.str();
}

oracle::Problem random_problem(const Shape& s, unsigned seed) {
  oracle::Problem p;
  p.batch = s.batch, p.heads = s.heads, p.kv_heads = s.kv_heads;
  p.seqlen_q = s.q, p.seqlen_kv = s.kv;
  p.head_dim = s.d, p.value_dim = s.e;
  p.scale = static_cast<float>(s.softmax_scale());
  const auto rounding = s.dtype == bf16 ? oracle::round_bf16 : oracle::round_f16;
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  const auto fill = [&](std::vector<double>& values, std::int64_t count) {
    values.resize(static_cast<std::size_t>(count));
    for (double& value : values) value = rounding(normal(random));
  };
  fill(p.q, s.batch * s.heads * s.q * s.d);
  fill(p.k, s.batch * s.kv_heads * s.kv * s.d);
  fill(p.v, s.batch * s.kv_heads * s.kv * s.e);
  if (s.mask != Mask::none) {
    const long offset = s.mask == Mask::bottom_right ? oracle::bottom_right(p) : 0;
    p.visible = [offset](long, long, long q, long k) { return k <= q + offset; };
  }
  return p;
}

oracle::Problem with_shared_axis(const Shape& s, const std::string& tensor, std::size_t axis,
                                 unsigned seed) {
  oracle::Problem problem = random_problem(s, seed);
  auto& values = tensor == "q" ? problem.q : tensor == "k" ? problem.k : problem.v;
  const std::vector<std::int64_t> extents = placement_of(s, tensor, {}).extents;
  std::int64_t inner = 1;  // elements from one index of the axis to the next
  for (std::size_t a = axis + 1; a < 4; ++a) inner *= extents[a];
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    values[i] = values[static_cast<std::size_t>(at - at / inner % extents[axis] * inner)];
  }
  return problem;
}

Verdict judge(const Shape& s, const oracle::Problem& problem, const oracle::Answer& answer,
              bool rounded_scores) {
  const auto rounding = s.dtype == bf16 ? oracle::round_bf16 : oracle::round_f16;
  const oracle::Answer truth = oracle::attention(problem);
  oracle::Problem same_type = problem;
  same_type.score = [=](double score, long, long, long, long) {
    const double single = static_cast<double>(static_cast<float>(score));
    return rounded_scores ? rounding(single) : single;
  };
  const oracle::Answer naive = oracle::attention(same_type, rounding);
  Verdict verdict;
  verdict.error = oracle::largest_difference(answer.out, truth.out);
  verdict.tolerance = oracle::tolerance(naive, truth);
  verdict.lse_error = oracle::largest_difference(answer.lse, truth.lse);
  double largest_lse = 0;
  for (const double lse : truth.lse)
    if (std::isfinite(lse)) largest_lse = std::max(largest_lse, std::abs(lse));
  verdict.lse_tolerance =
      2 * oracle::largest_difference(naive.lse, truth.lse) + 1e-4 + four_roundings * largest_lse;
  for (std::size_t row = 0; row < truth.lse.size(); ++row) {
    if (truth.lse[row] != -HUGE_VAL) continue;
    verdict.empty_rows_neutral &= answer.lse[row] == -HUGE_VAL;
    for (long e = 0; e < problem.value_dim; ++e)
      verdict.empty_rows_neutral &= answer.out[row * static_cast<std::size_t>(problem.value_dim) +
                                               static_cast<std::size_t>(e)] == 0;
  }
  return verdict;
}

std::string describe(const Verdict& v) {
  std::ostringstream text;
  text << "out " << v.error << " of " << v.tolerance << ", lse " << v.lse_error << " of "
       << v.lse_tolerance << (v.empty_rows_neutral ? "" : ", an empty row is not neutral");
  return text.str();
}

Outcome check_flash(const Shape& shape, unsigned seed, const Placements& placements) {
  CAPTURE(describe(shape));
  const oracle::Problem problem = random_problem(shape, seed);
  Outcome outcome = launch(flash_plan(shape), shape, problem, placements);
  const Verdict verdict = judge(shape, problem, outcome.answer);
  INFO(describe(verdict));
  CHECK(verdict.right());
  CHECK(outcome.faults == "[]");
  CHECK_FALSE(outcome.wrote_outside);
  return outcome;
}

}  // namespace tilewright::test
