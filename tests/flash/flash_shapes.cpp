// `flash` through the compiler and the emulator, over the shapes that break kernels: odd lengths,
// empty ones, many heads over few, head dimensions that fill no tile, strange scales.
#include <doctest/doctest.h>

#include <cmath>

#include "flash_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

TEST_CASE("odd in every extent: grouped heads, causal, value dimension of its own") {
  for (const DType type : {bf16, f16})
    check_flash({2, 6, 2, 200, 333, 80, 48, Mask::bottom_right, type});
}

TEST_CASE("any ratio of query to kv heads") {
  check_flash({1, 71, 1, 33, 50, 64, 64, Mask::bottom_right});
  check_flash({1, 7, 1, 50, 77, 40, 40, Mask::top_left});
  check_flash({2, 6, 3, 17, 130, 64, 64, Mask::bottom_right});
}

TEST_CASE("lengths around a tile, empty ones, and more queries than keys") {
  const std::int64_t lengths[] = {0, 1, 63, 64, 65, 1000};
  for (const std::int64_t q : lengths)
    for (const std::int64_t kv : lengths)
      for (const Mask mask : {Mask::none, Mask::bottom_right, Mask::top_left}) {
        if (q == 1000 && kv == 1000 && mask == Mask::none) continue;  // the slowest, seen below
        check_flash({1, 1, 1, q, kv, 64, 64, mask}, static_cast<unsigned>(q * 7 + kv));
      }
}

TEST_CASE("no batch and no heads launch nothing") {
  for (const Shape& shape : {Shape{0, 2, 2, 10, 10, 64, 64}, Shape{2, 0, 1, 10, 10, 64, 64}}) {
    const Outcome outcome = check_flash(shape);
    CHECK(outcome.answer.out.empty());
  }
}

TEST_CASE("head dimensions") {
  const std::int64_t dims[][2] = {{1, 1},    {7, 3},    {96, 96},  {192, 128},
                                  {256, 16}, {16, 256}, {256, 256}};
  int odd = 0;
  for (const auto& [d, e] : dims) {
    const Mask mask = odd % 2 == 0 ? Mask::bottom_right : Mask::none;
    check_flash({1, 2, 1, 70, 150, d, e, mask, odd % 3 == 2 ? f16 : bf16});
    ++odd;
  }
}

TEST_CASE("scales: negative, zero, tiny, huge") {
  for (const double scale : {-0.125, -3.0, 0.0, -0.0, 1e-30, 1e-42, 30.0, 1e4, -1e4, 1e10, 1e30})
    for (const Mask mask : {Mask::none, Mask::bottom_right})
      check_flash({1, 2, 1, 70, 90, 64, 64, mask, bf16, scale, true});
}

TEST_CASE("the worked example") {
  // Two queries, three keys; the numbers are known to six digits.
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
    const Outcome got = launch(flash_plan(shape), shape, problem);
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
