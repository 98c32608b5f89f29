// Views made from views: transposed and slice, by their definition on every element; and refusals.
#include "calls.hpp"

using namespace calls;

TEST_CASE("transposed and slice name the same elements") {
  const TensorView whole = TensorView::contiguous(1000, bf16, {2, 5, 7});
  const auto address = [](const TensorView& view, std::vector<std::int64_t> at) {
    std::int64_t result = static_cast<std::int64_t>(view.data);
    for (std::size_t i = 0; i < at.size(); ++i) result += 2 * at[i] * view.strides[i];
    return result;
  };
  const TensorView turned = whole.transposed(0, 2), part = whole.slice(1, 2, 3);
  CHECK(turned.extents == std::vector<std::int64_t>{7, 5, 2});
  CHECK(part.extents == std::vector<std::int64_t>{2, 3, 7});
  for (long i = 0; i < 2; ++i)
    for (long j = 0; j < 5; ++j)
      for (long k = 0; k < 7; ++k) {
        CHECK(address(whole, {i, j, k}) == 1000 + 2 * (i * 35 + j * 7 + k));
        CHECK(address(turned, {k, j, i}) == address(whole, {i, j, k}));
        if (j >= 2) CHECK(address(part, {i, j - 2, k}) == address(whole, {i, j, k}));
      }
  CHECK(whole.transposed(1, 1).strides == whole.strides);
  CHECK(whole.slice(0, 2, 0).extents[0] == 0);
  CHECK(TensorView::contiguous(0, bf16, {4, 4}).slice(0, 2, 2).data == 0);
}

TEST_CASE("axes and elements that are not there are refused") {
  const TensorView view = TensorView::contiguous(1000, bf16, {2, 5, 7});
  const auto argument = ErrorKind::invalid_argument;
  refused(argument, "axis", [&] { view.transposed(0, 3); });
  refused(argument, "axis", [&] { view.transposed(-1, 0); });
  refused(argument, "axis", [&] { TensorView().slice(0, 0, 0); });
  refused(argument, "begin", [&] { view.slice(1, -1, 2); });
  refused(argument, "begin", [&] { view.slice(1, 6, 0); });
  refused(argument, "count", [&] { view.slice(1, 2, 4); });
  refused(argument, "count", [&] { view.slice(1, 2, -1); });
  refused(argument, "count", [&] { view.slice(1, 1, INT64_MAX); });
}
