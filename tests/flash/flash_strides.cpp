// Every stride is honoured: layouts, odd offsets, gaps between elements, one head or batch shared
// by all, negative steps, gigabytes between batches. Each for every tensor, the others staying
// dense.
#include <doctest/doctest.h>

#include "flash_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

// 40 elements a row: five 16-byte chunks, and a tile that is padded to 48.
const Shape even{2, 4, 2, 70, 90, 64, 64, Mask::bottom_right, bf16};
const Shape padded{2, 4, 2, 70, 90, 40, 24, Mask::bottom_right, f16};
const char* const tensors[] = {"q", "k", "v", "out"};

using Change = std::function<Placement(const Placement& dense)>;

/// Applies `change` to one tensor at a time; returns whether the aligned kernel ran, per tensor.
std::vector<bool> check_each(const Shape& shape, const Change& change, bool outputs = true) {
  std::vector<bool> aligned;
  for (const char* tensor : tensors) {
    if (!outputs && std::string(tensor) == "out") continue;
    CAPTURE(tensor);
    const Placement place = change(placement_of(shape, tensor, {}));
    aligned.push_back(check_flash(shape, 2, {{tensor, place}}).aligned);
  }
  return aligned;
}

std::vector<bool> all(bool value, std::size_t count = 4) { return std::vector<bool>(count, value); }

}  // namespace

TEST_CASE("dense: batch, head, row, element") {
  CHECK(check_flash(even).aligned);
  CHECK(check_flash(padded).aligned);
}

TEST_CASE("batch, row, head, element") {
  const auto change = [](const Placement& dense) { return Placement::heads_inside(dense.extents); };
  CHECK(check_each(even, change) == all(true));
  CHECK(check_each(padded, change) == all(true));
}

TEST_CASE("a slice at an odd element offset") {
  const auto change = [](const Placement& dense) {
    Placement place = Placement::dense(dense.extents, dense.extents[3] + 8);
    place.offset += 7;
    place.elements += 7;
    return place;
  };
  CHECK(check_each(even, change) == all(false));
  CHECK(check_each(padded, change) == all(false));
}

TEST_CASE("rows an odd number of elements apart") {
  const auto change = [](const Placement& dense) {
    return Placement::dense(dense.extents, dense.extents[3] + 1);
  };
  CHECK(check_each(even, change) == all(false));
}

TEST_CASE("two elements apart inside a row") {
  const auto change = [](const Placement& dense) {
    auto strides = dense.strides;
    for (std::int64_t& stride : strides) stride *= 2;
    return Placement::strided(dense.extents, strides);
  };
  CHECK(check_each(even, change) == all(false));
  CHECK(check_each(padded, change) == all(false));
}

TEST_CASE("columns first: rows are one element apart") {
  const auto change = [](const Placement& dense) {
    auto strides = dense.strides;
    strides[2] = 1;
    strides[3] = dense.extents[2];
    return Placement::strided(dense.extents, strides);
  };
  CHECK(check_each(even, change) == all(false));
}

TEST_CASE("from the last row, and from the last batch, to the first") {
  for (const std::size_t axis : {std::size_t{0}, std::size_t{2}}) {
    const auto change = [axis](const Placement& dense) {
      auto strides = dense.strides;
      strides[axis] = -strides[axis];
      return Placement::strided(dense.extents, strides);
    };
    CHECK(check_each(even, change) == all(true));
  }
}

TEST_CASE("one batch, head, row or element for all: stride 0 of an input") {
  for (const std::size_t axis : {0u, 1u, 2u, 3u}) {
    for (const std::string tensor : {"q", "k", "v"}) {
      CAPTURE(axis);
      CAPTURE(tensor);
      Placement place = placement_of(even, tensor, {});
      place.strides[axis] = 0;
      const oracle::Problem problem = with_shared_axis(even, tensor, axis, 6);
      const Outcome outcome = launch(flash_plan(even), even, problem, {{tensor, place}});
      const Verdict verdict = judge(even, problem, outcome.answer);
      INFO(describe(verdict));
      CHECK(verdict.right());
      CHECK(outcome.faults == "[]");
      CHECK(outcome.aligned == (axis != 3));
    }
  }
}

TEST_CASE("more than 2^31 elements from batch to batch, from head to head, from row to row") {
  // The emulator's memory is sparse: only what is touched exists.
  constexpr std::int64_t far = (std::int64_t{1} << 31) + 64;
  const Shape small{2, 2, 2, 20, 40, 64, 64, Mask::bottom_right, bf16};
  for (const std::size_t axis : {std::size_t{0}, std::size_t{1}}) {
    CAPTURE(axis);
    const auto change = [axis](const Placement& dense) {
      auto strides = dense.strides;
      strides[axis] = far;
      return Placement::strided(dense.extents, strides);
    };
    CHECK(check_each(small, change) == all(true));
  }
  // Rows so far apart that their offsets inside one tile pass 2^31.
  const auto change = [](const Placement& dense) {
    const std::int64_t row = (std::int64_t{1} << 27) + 64;
    return Placement::strided(dense.extents, {row * dense.extents[2], 0, row, 1});
  };
  const Shape one_head{1, 1, 1, 20, 40, 64, 64, Mask::bottom_right, bf16};
  CHECK(check_each(one_head, change) == all(true));
}

TEST_CASE("the LSE in any stride") {
  for (const auto& strides :
       {std::vector<std::int64_t>{1, 2, 8}, std::vector<std::int64_t>{4000, 500, 3},
        std::vector<std::int64_t>{-560, -140, -2},
        std::vector<std::int64_t>{(std::int64_t{1} << 31) + 3, 70, 1}})
    check_flash(even, 2, {{"lse", Placement::strided({2, 4, 70}, strides)}});
}
