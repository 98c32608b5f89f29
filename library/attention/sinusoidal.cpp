// See tilewright/library/sinusoidal.hpp; the kernels are in loops/sinusoidal.hpp.
#include <tilewright/library/sinusoidal.hpp>

#include <cmath>
#include <tilewright/compile.hpp>
#include <tilewright/error.hpp>

#include "attention/errors.hpp"
#include "attention/tensor_checks.hpp"
#include "loops/sinusoidal.hpp"

namespace tilewright {
namespace {

template <DType T>
Plan compiled(const Device& device, bool positions_given) {
  return positions_given ? compile(device, library::add_sinusoidal_at<T>())
                         : compile(device, library::add_sinusoidal<T>());
}

Plan compiled(const Device& device, const SinusoidalRequest& request) {
  if (request.dtype == bf16) return compiled<bf16>(device, request.positions_given);
  if (request.dtype == f16) return compiled<f16>(device, request.positions_given);
  if (request.dtype == f32) return compiled<f32>(device, request.positions_given);
  throw Error(errors::attention["request-type-unsupported"],
              "there is no sum with positions for this element type",
              {"dtype", std::string(name(request.dtype)), "bf16, f16, f32", ""});
}

void require_numbers(std::int64_t positions, std::int64_t dim, double base) {
  const auto refuse = [](const char* argument, const std::string& value, const char* allowed) {
    throw Error(errors::attention["sinusoidal-number-unusable"],
                std::string(argument) + " is not one that a table of positions can have",
                {argument, value, allowed, ""});
  };
  if (positions < 0) refuse("positions", std::to_string(positions), "0 or more");
  if (dim < 1) refuse("dim", std::to_string(dim), "1 or more");
  if (!(base > 0) || !std::isfinite(base))
    refuse("base", std::to_string(base), "a finite number above 0");
}

/// Rows first to first + length - 1 must stand in the table.
void require_rows(const SinusoidalTensors& tensors) {
  const std::int64_t length = tensors.x.extents[1], rows = tensors.table.extents[0];
  const std::int64_t first = tensors.first_position;
  if (first >= 0 && length <= rows && first <= rows - length) return;
  throw Error(
      errors::attention["sinusoidal-positions-too-few"],
      "the table has no row for the positions " + std::to_string(first) + " to " +
          std::to_string(first + length - 1),
      {first < 0 ? "first_position" : "table", std::to_string(first < 0 ? first : rows),
       first < 0 ? "0 or more" : "at least " + std::to_string(first + length) + " positions", ""});
}

}  // namespace

std::vector<float> sinusoidal_table(std::int64_t positions, std::int64_t dim,
                                    SinusoidalLayout layout, double base) {
  require_numbers(positions, dim, base);
  const std::int64_t sines = (dim + 1) / 2;
  std::vector<float> table;
  for (std::int64_t p = 0; p < positions; ++p)
    for (std::int64_t d = 0; d < dim; ++d) {
      const bool near = layout == SinusoidalLayout::interleaved;
      const std::int64_t pair = near ? d / 2 : d % sines;
      const double angle = static_cast<double>(p) * std::pow(base, -2 * static_cast<double>(pair) /
                                                                       static_cast<double>(dim));
      const bool sine = near ? d % 2 == 0 : d < sines;
      table.push_back(static_cast<float>(sine ? std::sin(angle) : std::cos(angle)));
    }
  return table;
}

struct SinusoidalPlan::State {
  Plan plan;
  SinusoidalRequest request;
};

SinusoidalPlan compile_sinusoidal(const Device& device, const SinusoidalRequest& request) {
  return SinusoidalPlan(std::make_shared<const SinusoidalPlan::State>(
      SinusoidalPlan::State{compiled(device, request), request}));
}

const Device& SinusoidalPlan::device() const { return state_->plan.device(); }
std::string SinusoidalPlan::cuda_source() const { return state_->plan.cuda_source(); }

void SinusoidalPlan::launch(const Stream& stream, SinusoidalTensors tensors) const {
  using library::Extent;
  Extent batch{"batch"}, length{"length"}, dim{"dim"}, positions{"positions"};
  const bool given = state_->request.positions_given;
  library::check_tensor({"x", tensors.x, {&batch, &length, &dim}});
  library::check_tensor({"out", tensors.out, {&batch, &length, &dim}});
  library::check_tensor({"table", tensors.table, {&positions, &dim}});
  if (given)
    library::check_tensor({"positions", tensors.positions, {&batch, &length}});
  else
    require_rows(tensors);
  if (tensors.out.data != 0 && tensors.out.data == tensors.x.data)
    throw Error(errors::attention["sinusoidal-in-place"], "tensor 'out' begins where 'x' does",
                {"out", "the memory of 'x'", "memory of its own", ""});
  std::vector<Binding> arguments;
  arguments.reserve(4);
  arguments.emplace_back("x", std::move(tensors.x));
  arguments.emplace_back("table", std::move(tensors.table));
  arguments.emplace_back("out", std::move(tensors.out));
  if (given)
    arguments.emplace_back("positions", std::move(tensors.positions));
  else
    arguments.emplace_back("first_position", static_cast<double>(tensors.first_position));
  state_->plan.launch(stream, arguments);
}

}  // namespace tilewright
