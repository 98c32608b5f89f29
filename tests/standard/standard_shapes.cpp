// `standard` over the shapes that break kernels: odd lengths, empty ones, rows of many blocks, many
// heads over few, head dimensions that fill no tile, S and P in either type.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "standard_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

TEST_CASE("odd in every extent: grouped heads, causal, value dimension of its own") {
  for (const DType type : {bf16, f16})
    for (const Scores scores : {Scores::f32, Scores::input})
      check_standard({2, 6, 2, 200, 333, 80, 48, Mask::bottom_right, type}, 1, {}, scores);
}

TEST_CASE("any ratio of query to kv heads") {
  check_standard({1, 71, 1, 33, 50, 64, 64, Mask::bottom_right});
  check_standard({1, 7, 1, 50, 77, 40, 40, Mask::top_left}, 1, {}, Scores::input);
  check_standard({2, 6, 3, 17, 130, 64, 64, Mask::bottom_right});
}

TEST_CASE("lengths around a tile, empty ones, and more queries than keys") {
  const std::int64_t lengths[] = {0, 1, 63, 64, 65, 1000};
  for (const std::int64_t q : lengths)
    for (const std::int64_t kv : lengths)
      for (const Mask mask : {Mask::none, Mask::bottom_right, Mask::top_left}) {
        if (q == 1000 && kv == 1000 && mask != Mask::bottom_right) continue;  // the slowest
        check_standard({1, 1, 1, q, kv, 64, 64, mask}, static_cast<unsigned>(q * 7 + kv));
      }
}

TEST_CASE("a row of many blocks") {
  check_standard({1, 1, 1, 9, 7001, 64, 64, Mask::none});
  check_standard({1, 1, 1, 9, 7001, 64, 64, Mask::bottom_right}, 2, {}, Scores::input);
}

TEST_CASE("no batch and no heads launch nothing") {
  for (const Shape& shape : {Shape{0, 2, 2, 10, 10, 64, 64}, Shape{2, 0, 1, 10, 10, 64, 64}})
    CHECK(check_standard(shape).answer.out.empty());
}

TEST_CASE("head dimensions") {
  const std::int64_t dims[][2] = {{1, 1}, {7, 3}, {192, 128}, {256, 16}, {16, 256}, {256, 256}};
  int odd = 0;
  for (const auto& [d, e] : dims) {
    const Mask mask = odd % 2 == 0 ? Mask::bottom_right : Mask::none;
    check_standard({1, 2, 1, 70, 150, d, e, mask, odd % 3 == 2 ? f16 : bf16});
    ++odd;
  }
}

TEST_CASE("scales: negative, zero, tiny, huge") {
  for (const double scale : {-0.125, -3.0, 0.0, 1e-30, 30.0, 1e4, -1e4, 1e10, 1e30})
    for (const Mask mask : {Mask::none, Mask::bottom_right})
      check_standard({1, 2, 1, 70, 90, 64, 64, mask, bf16, scale, true});
}

TEST_CASE("the worked example") {
  Shape shape{1, 1, 1, 2, 3, 2, 2};
  const double answers[3][6] = {
      {3, 4, 3.406673, 4.406673, 1.620621, 1.620621},
      {1.660477, 2.660477, 3.406673, 4.406673, 1.107940, 1.620621},
      {1, 2, 2.339523, 3.339523, 0.707107, 1.107940},
  };
  for (const Mask mask : {Mask::none, Mask::bottom_right, Mask::top_left}) {
    shape.mask = mask;
    shape.dtype = f16;
    oracle::Problem problem = random_problem(shape, 1);
    problem.q = {1, 0, 0, 1};
    problem.k = {1, 0, 0, 1, 1, 1};
    problem.v = {1, 2, 3, 4, 5, 6};
    const Outcome got = launch(standard_plan(shape), shape, problem);
    CAPTURE(describe(shape));
    REQUIRE(got.answer.out.size() == 4);
    const double* expected = answers[static_cast<int>(mask)];
    for (int i = 0; i < 4; ++i)
      CHECK(got.answer.out[static_cast<std::size_t>(i)] ==
            doctest::Approx(expected[i]).epsilon(1e-3));
    for (int i = 0; i < 2; ++i)
      CHECK(got.answer.lse[static_cast<std::size_t>(i)] ==
            doctest::Approx(expected[4 + i]).epsilon(1e-5));
  }
}

TEST_CASE("a hidden score may be NaN") {
  // Top-left causal: row 3 sees keys 0 to 3. Key 60 is NaN, and its value is not.
  const Shape shape{1, 1, 1, 50, 130, 64, 64, Mask::top_left, bf16};
  oracle::Problem problem = random_problem(shape, 4);
  for (std::size_t d = 0; d < 64; ++d)
    problem.k[60 * 64 + d] = std::numeric_limits<double>::quiet_NaN();
  const Outcome outcome = launch(standard_plan(shape), shape, problem);
  const Verdict verdict = judge(shape, problem, outcome.answer);
  INFO(describe(verdict));
  CHECK(verdict.right());
}

TEST_CASE("the workspace is S and P") {
  const Shape s{2, 6, 2, 200, 333, 80, 48, Mask::bottom_right};
  const Extents extents = {{"batch", 2}, {"q_head", 6}, {"q", 200}, {"kv", 333}};
  CHECK(standard_plan(s).workspace_bytes(extents) == 2 * 2 * 6 * 200 * 336 * 4);
  CHECK(standard_plan(s, Scores::input).workspace_bytes(extents) == 2 * 2 * 6 * 200 * 336 * 2);
}
