// Memory that no element of a tensor owns is NaN (rows longer than the head dimension, rows behind
// the last, keys that no query sees): the result is that of the tensors alone.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "flash_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

TEST_CASE("NaN beside and behind every tensor") {
  const Shape shapes[] = {
      {2, 4, 2, 70, 90, 64, 64, Mask::bottom_right, bf16},
      {2, 4, 2, 200, 333, 80, 48, Mask::bottom_right, f16},
      {1, 2, 1, 129, 65, 40, 40, Mask::top_left, bf16},
      {1, 2, 1, 30, 100, 7, 3, Mask::none, bf16},
  };
  for (const Shape& s : shapes)
    for (const std::int64_t wider : {std::int64_t{3}, std::int64_t{16}}) {
      const auto wide = [&](std::int64_t dim) { return dim + wider; };
      check_flash(s, 5,
                  {{"q", Placement::dense({s.batch, s.heads, s.q, s.d}, wide(s.d), 150)},
                   {"k", Placement::dense({s.batch, s.kv_heads, s.kv, s.d}, wide(s.d), 150)},
                   {"v", Placement::dense({s.batch, s.kv_heads, s.kv, s.e}, wide(s.e), 150)},
                   {"out", Placement::dense({s.batch, s.heads, s.q, s.e}, wide(s.e), 150)}});
    }
}

TEST_CASE("NaN in every tile of keys that no query sees") {
  // Top-left causal, so row i ends at key i: tiles behind the last row are never visited.
  Shape shape{1, 2, 1, 100, 700, 64, 64, Mask::top_left, bf16};
  const Plan& plan = flash_plan(shape);
  const int tile = plan.program().aligned.schedule.tile.at("kv");
  REQUIRE(tile < 600);
  oracle::Problem problem = random_problem(shape, 3);
  const auto first = static_cast<std::size_t>((shape.q + tile - 1) / tile * tile * shape.d);
  REQUIRE(first < problem.k.size());
  for (std::size_t i = first; i < problem.k.size(); ++i)
    problem.k[i] = problem.v[i] = std::numeric_limits<double>::quiet_NaN();
  const Outcome outcome = launch(plan, shape, problem);
  const Verdict verdict = judge(shape, problem, outcome.answer);
  INFO(describe(verdict));
  CHECK(verdict.right());
  CHECK(outcome.faults == "[]");
}

TEST_CASE("infinities and NaN in a visible element reach the rows that see it, and no other") {
  Shape shape{1, 1, 1, 65, 130, 64, 64, Mask::bottom_right, bf16};
  oracle::Problem problem = random_problem(shape, 4);
  problem.q[3 * 64 + 5] = std::numeric_limits<double>::quiet_NaN();
  const Outcome outcome = launch(flash_plan(shape), shape, problem);
  for (std::size_t row = 0; row < 65; ++row) {
    CAPTURE(row);
    CHECK(std::isnan(outcome.answer.out[row * 64]) == (row == 3));
    CHECK(std::isnan(outcome.answer.lse[row]) == (row == 3));
  }
}
