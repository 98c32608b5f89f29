// Every stride is honoured by `standard` too, for every tensor: layouts, odd offsets, gaps between
// elements, one batch or head or row or element for all, negative steps, gigabytes between batches;
// outputs whose elements overlap are refused.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <tilewright/error.hpp>

#include "standard_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

const Shape even{2, 4, 2, 70, 90, 64, 64, Mask::bottom_right, bf16};
const Shape padded{2, 4, 2, 70, 90, 40, 24, Mask::bottom_right, f16};

using Change = std::function<Placement(const Placement& dense)>;

void check_each(const Shape& shape, bool aligned, const Change& change) {
  for (const std::string tensor : {"q", "k", "v", "out"}) {
    CAPTURE(tensor);
    const Placement place = change(placement_of(shape, tensor, {}));
    CHECK(check_standard(shape, 2, {{tensor, place}}).aligned == aligned);
  }
}

}  // namespace

TEST_CASE("layouts whose rows are aligned") {
  CHECK(check_standard(even).aligned);
  CHECK(check_standard(padded).aligned);
  const auto heads_inside = [](const Placement& dense) {
    return Placement::heads_inside(dense.extents);
  };
  check_each(even, true, heads_inside);
  check_each(padded, true, heads_inside);
  check_each(even, true, [](const Placement& dense) {
    auto strides = dense.strides;
    strides[0] = -strides[0], strides[2] = -strides[2];
    return Placement::strided(dense.extents, strides);
  });
}

TEST_CASE("a slice at an odd element offset") {
  const auto change = [](const Placement& dense) {
    Placement place = Placement::dense(dense.extents, dense.extents[3] + 8);
    place.offset += 7;
    place.elements += 7;
    return place;
  };
  check_each(even, false, change);
  check_each(padded, false, change);
}

TEST_CASE("two elements apart inside a row") {
  const auto change = [](const Placement& dense) {
    auto strides = dense.strides;
    for (std::int64_t& stride : strides) stride *= 2;
    return Placement::strided(dense.extents, strides);
  };
  check_each(even, false, change);
  check_each(padded, false, change);
}

TEST_CASE("columns first: rows are one element apart") {
  check_each(even, false, [](const Placement& dense) {
    auto strides = dense.strides;
    strides[2] = 1;
    strides[3] = dense.extents[2];
    return Placement::strided(dense.extents, strides);
  });
}

TEST_CASE("stride 0 of an input along each axis") {
  for (const std::size_t axis : {0u, 1u, 2u, 3u})
    for (const std::string tensor : {"q", "k", "v"}) {
      CAPTURE(axis);
      CAPTURE(tensor);
      Placement place = placement_of(even, tensor, {});
      place.strides[axis] = 0;
      const oracle::Problem problem = with_shared_axis(even, tensor, axis, 6);
      const Outcome outcome = launch(standard_plan(even), even, problem, {{tensor, place}});
      const Verdict verdict = judge(even, problem, outcome.answer);
      INFO(describe(verdict));
      CHECK(verdict.right());
      CHECK(outcome.faults == "[]");
      CHECK(outcome.aligned == (axis != 3));
    }
}

TEST_CASE("more than 2^31 elements from batch to batch, from head to head, from row to row") {
  constexpr std::int64_t far = (std::int64_t{1} << 31) + 64;
  const Shape small{2, 2, 2, 20, 40, 64, 64, Mask::bottom_right, bf16};
  for (const std::size_t axis : {0u, 1u})
    check_each(small, true, [axis](const Placement& dense) {
      auto strides = dense.strides;
      strides[axis] = far;
      return Placement::strided(dense.extents, strides);
    });
  const Shape one_head{1, 1, 1, 20, 40, 64, 64, Mask::bottom_right, bf16};
  check_each(one_head, true, [](const Placement& dense) {
    const std::int64_t row = (std::int64_t{1} << 27) + 64;
    return Placement::strided(dense.extents, {row * dense.extents[2], 0, row, 1});
  });
}

TEST_CASE("the LSE in any stride") {
  for (const auto& strides :
       {std::vector<std::int64_t>{1, 2, 8}, std::vector<std::int64_t>{4000, 500, 3},
        std::vector<std::int64_t>{-560, -140, -2},
        std::vector<std::int64_t>{(std::int64_t{1} << 31) + 3, 70, 1}})
    check_standard(even, 2, {{"lse", Placement::strided({2, 4, 70}, strides)}});
}

TEST_CASE("an output whose elements overlap is refused, before anything runs") {
  const oracle::Problem problem = random_problem(even, 1);
  const auto refused = [&](const char* tensor, std::vector<std::int64_t> extents,
                           std::vector<std::int64_t> strides) {
    const Placement place = Placement::strided(std::move(extents), std::move(strides));
    try {
      launch(standard_plan(even), even, problem, {{tensor, place}});
      FAIL_CHECK("not refused");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::invalid_argument);
      CHECK(error.argument() == tensor);
    }
    CHECK(nlohmann::json::parse(emulator().emulator()->counters()).at("launches") == 0);
  };
  for (std::size_t axis = 0; axis < 4; ++axis) {
    std::vector<std::int64_t> strides = {17920, 4480, 64, 1};
    strides[axis] = 0;
    refused("out", {2, 4, 70, 64}, strides);
  }
  refused("out", {2, 4, 70, 64}, {17920, 4480, 63, 1});
  refused("out", {2, 4, 70, 64}, {17920, 4479, 64, 1});
  refused("lse", {2, 4, 70}, {0, 70, 1});
  refused("lse", {2, 4, 70}, {280, 69, 1});
}
