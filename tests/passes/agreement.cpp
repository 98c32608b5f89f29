// See agreement.hpp. Rounding is seen by the processor's own flag, which every inexact operation of
// the interpreter sets.
#include "agreement.hpp"

#include <cfenv>
#include <cmath>
#include <sstream>

#include "passes/rewrite.hpp"
#include "random_program.hpp"

namespace tilewright::test {
namespace {

bool may_round(const ir::Kernel& kernel, const ir::Operation& operation) {
  if (operation.results.size() != 1) return false;
  const ir::Type& type = kernel.type(operation.results[0]);
  if (type.kind != ir::Type::Kind::tile || type.dtype != DType::f32) return false;
  switch (operation.op) {
    case Op::add:
    case Op::sub:
    case Op::mul:
    case Op::div:
    case Op::dot:
    case Op::reduce_sum: return true;
    default:
      return operation.op >= Op::exp2 && operation.op <= Op::exp2_safe && operation.op != Op::abs;
  }
}

/// Multiplies every result that may round by 1 + d or 1 - d.
void disturb(ir::Kernel& kernel, ir::Region& region, Random& random) {
  constexpr double slightly = 0x1p-20;
  for (std::size_t i = 0; i < region.operations.size(); ++i) {
    ir::Operation& operation = *region.operations[i];
    for (auto& inner : operation.regions) disturb(kernel, *inner, random);
    if (!may_round(kernel, operation)) continue;
    const ValueId result = operation.results[0];
    auto factor = passes::make(kernel, Op::constant, {.dtype = DType::f32}, {}, operation.where);
    factor->constant = random.chance(50) ? 1 + slightly : 1 - slightly;
    auto off = passes::make(kernel, Op::mul, kernel.type(result), {}, operation.where);
    passes::replace_uses(kernel.body, result, off->results[0]);
    off->operands = {result, factor->results[0]};
    const auto at = region.operations.begin() + static_cast<std::ptrdiff_t>(i + 1);
    region.operations.insert(region.operations.insert(at, std::move(off)), std::move(factor));
    i += 2;
  }
}

bool is_output(const std::string& name) { return name[0] == 'o'; }

double apart(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double gap = std::abs(a - b);
  return std::isnan(gap) ? HUGE_VAL : gap;
}

std::int64_t count_of(const ir::HostTensor& tensor) {
  std::int64_t count = 1;
  for (const std::int64_t extent : tensor.shape) count *= extent;
  return count;
}

}  // namespace

Run interpreted(const ir::Kernel& kernel, const ir::Inputs& inputs) {
  Run run{inputs, false};
  std::feclearexcept(FE_INEXACT);
  ir::interpret(kernel, run.result);
  run.rounded = std::fetestexcept(FE_INEXACT) != 0;
  return run;
}

std::map<std::string, double> sensitivity(const ir::Kernel& kernel, const ir::Inputs& inputs,
                                          const Run& run, std::uint64_t seed) {
  std::map<std::string, double> allowed;
  for (const auto& [name, tensor] : run.result.tensors) {
    if (!is_output(name) || !is_floating(tensor.dtype)) continue;
    double largest = 0;
    for (std::int64_t i = 0; i < count_of(tensor); ++i)
      if (std::isfinite(tensor.get(i))) largest = std::max(largest, std::abs(tensor.get(i)));
    const double unit = tensor.dtype == DType::bf16  ? 0x1p-8
                        : tensor.dtype == DType::f16 ? 0x1p-11
                                                     : 0x1p-24;
    allowed[name] = 4 * unit * largest;
  }
  for (std::uint64_t i = 0; i < 3; ++i) {
    Random random(mixed(seed, i));
    ir::Kernel disturbed = kernel.clone();
    disturb(disturbed, disturbed.body, random);
    const Run off = interpreted(disturbed, inputs);
    for (auto& [name, bound] : allowed) {
      const ir::HostTensor& a = run.result.tensors.at(name);
      const ir::HostTensor& b = off.result.tensors.at(name);
      double most = 0;
      for (std::int64_t k = 0; k < count_of(a); ++k)
        if (const double gap = apart(a.get(k), b.get(k)); std::isfinite(gap))
          most = std::max(most, gap);
      bound = std::max(bound, bound * (i == 0 ? 1 : 0) + 2 * most);
    }
  }
  return allowed;
}

std::string difference(const ir::Inputs& before, const ir::Inputs& after,
                       const std::map<std::string, double>& allowed) {
  for (const auto& [name, a] : before.tensors) {
    const ir::HostTensor& b = after.tensors.at(name);
    if (a.data == b.data || !is_output(name)) continue;
    const auto bound = allowed.find(name);
    const double most = bound == allowed.end() ? 0 : bound->second;
    for (std::int64_t i = 0; i < count_of(a); ++i) {
      const double x = a.get(i), y = b.get(i);
      if (apart(x, y) <= most) continue;
      std::ostringstream text;
      text.precision(9);
      text << name << "[";
      std::int64_t rest = count_of(a);
      for (std::size_t axis = 0, left = static_cast<std::size_t>(i); axis < a.shape.size();
           ++axis) {
        rest /= a.shape[axis];
        text << (axis ? ", " : "") << left / static_cast<std::size_t>(rest);
        left %= static_cast<std::size_t>(rest);
      }
      text << "] was " << x << " and is " << y << " (allowed " << most << ")";
      return text.str();
    }
  }
  return "";
}

}  // namespace tilewright::test
