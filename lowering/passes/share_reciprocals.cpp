// A division per element by something that is the same along a row costs eight instructions each;
// one reciprocal per row and a multiplication per element cost one.
#include <algorithm>

#include "passes/passes.hpp"
#include "passes/rewrite.hpp"

namespace tilewright::passes {
namespace {

void share(ir::Kernel& kernel, ir::Region& region) {
  for (std::size_t i = 0; i < region.operations.size(); ++i) {
    ir::Operation& division = *region.operations[i];
    for (auto& inner : division.regions) share(kernel, *inner);
    if (division.op != Op::div) continue;
    const ir::Type& type = kernel.type(division.results[0]);
    const ir::Type divisor = kernel.type(division.operands[1]);
    if (type.dtype != DType::f32 || divisor.axes.size() >= type.axes.size()) continue;
    auto one = make(kernel, Op::constant, {.dtype = DType::f32}, {}, division.where);
    one->constant = 1;
    auto inverse =
        make(kernel, Op::div, divisor, {one->results[0], division.operands[1]}, division.where);
    kernel.values[static_cast<std::size_t>(inverse->results[0])].name = "inverse";
    division.op = Op::mul;
    division.operands[1] = inverse->results[0];
    const auto at = static_cast<std::ptrdiff_t>(i);
    region.operations.insert(region.operations.begin() + at, std::move(inverse));
    region.operations.insert(region.operations.begin() + at, std::move(one));
    i += 2;
  }
}

}  // namespace

void share_reciprocals(ir::Kernel& kernel) { share(kernel, kernel.body); }

}  // namespace tilewright::passes
