// See tensor_checks.hpp.
#include "attention/tensor_checks.hpp"

#include <algorithm>
#include <tilewright/error.hpp>

#include "plan_errors.hpp"

namespace tilewright::library {
namespace {

std::size_t rank(const Rows& rows) {
  const auto end = std::find(rows.axes.begin(), rows.axes.end(), nullptr);
  return static_cast<std::size_t>(end - rows.axes.begin());
}

std::string layout(const Rows& rows) {
  std::string text;
  for (std::size_t i = 0; i < rank(rows); ++i)
    text += (i == 0 ? "[" : ", ") + std::string(rows.axes[i]->name);
  return text + "]";
}

}  // namespace

void check_tensor(const Rows& rows) {
  const std::string name = rows.name;
  const TensorView& view = rows.view;
  if (view.extents.size() != rank(rows) || view.strides.size() != rank(rows)) {
    const bool missing = view.extents.empty() && view.strides.empty();
    throw Error(
        missing ? errors::plan["launch-argument-missing"] : errors::plan["tensor-rank-disagrees"],
        missing ? "tensor '" + name + "' is not given"
                : "tensor '" + name + "' has another number of dimensions",
        {name,
         missing ? "nothing"
                 : std::to_string(view.extents.size()) + " extents, " +
                       std::to_string(view.strides.size()) + " strides",
         layout(rows), ""});
  }
  for (std::size_t i = 0; i < rank(rows); ++i) {
    Extent& known = *rows.axes[i];
    const std::int64_t given = view.extents[i];
    if (known.value < 0) {
      known.value = given;
      known.from = "'" + name + "'";
    }
    if (given == known.value) continue;
    throw Error(known.from == the_request ? errors::plan["extent-compiled-otherwise"]
                                          : errors::plan["extent-disagrees"],
                "tensor '" + name + "': " + known.name + " is " + std::to_string(given),
                {name, std::to_string(given),
                 std::to_string(known.value) + ", the " + known.name + " of " + known.from, ""});
  }
}

}  // namespace tilewright::library
