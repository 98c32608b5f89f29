// Constants meet constants, and uniform factors meet each other, so that later passes see one
// factor.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>

#include "passes/passes.hpp"
#include "passes/rewrite.hpp"

namespace tilewright::passes {
namespace {

using ir::Operation;

/// The value of a pointwise op on i32 constants, in the 32 bits that wrap; false when it has none.
bool evaluate_i32(Op op, const std::vector<double>& operands, double& result) {
  std::vector<std::int64_t> x;
  for (const double operand : operands) x.push_back(static_cast<std::int64_t>(operand));
  const auto number = [&](std::int64_t value) {
    result = static_cast<double>(static_cast<std::int32_t>(static_cast<std::uint64_t>(value)));
    return true;
  };
  switch (op) {
    case Op::add: return number(x[0] + x[1]);
    case Op::sub: return number(x[0] - x[1]);
    case Op::mul: return number(x[0] * x[1]);  // of two 32-bit numbers: no overflow
    case Op::neg: return number(-x[0]);
    case Op::minimum: return number(std::min(x[0], x[1]));
    case Op::maximum: return number(std::max(x[0], x[1]));
    case Op::div:
      if (x[1] == 0) return false;
      return number(x[0] / x[1] - ((x[0] % x[1] != 0 && (x[0] < 0) != (x[1] < 0)) ? 1 : 0));
    default: return false;
  }
}

/// The value of a pointwise op on floating constants, whose arithmetic is that of f32. One
/// operation on two f32 numbers in double precision, rounded once more, is the f32 operation.
bool evaluate_f32(Op op, const std::vector<double>& x, double& result) {
  const auto number = [&](double value) {
    result = static_cast<double>(static_cast<float>(value));
    return true;
  };
  switch (op) {
    case Op::add: return number(x[0] + x[1]);
    case Op::sub: return number(x[0] - x[1]);
    case Op::mul: return number(x[0] * x[1]);
    case Op::neg: return number(-x[0]);
    case Op::minimum: return number(std::fmin(x[0], x[1]));
    case Op::maximum: return number(std::fmax(x[0], x[1]));
    case Op::div: return x[1] != 0 && number(x[0] / x[1]);
    default: return false;
  }
}

/// False when the operation has no value of `dtype` at compile time.
bool evaluate(Op op, DType dtype, const std::vector<double>& operands, double& result) {
  if (dtype == DType::i32) return evaluate_i32(op, operands, result);
  return is_floating(dtype) && evaluate_f32(op, operands, result);
}

class Simplifier {
 public:
  explicit Simplifier(ir::Kernel& kernel) : kernel_(kernel), uses_(ir::use_counts(kernel)) {}

  void run(ir::Region& region) {
    for (std::size_t i = 0; i < region.operations.size(); ++i) {
      Operation& operation = *region.operations[i];
      for (auto& inner : operation.regions) run(*inner);
      fold(operation);
      if (auto made = regroup(operation)) {
        definition_[made->results[0]] = made.get();
        region.operations.insert(region.operations.begin() + static_cast<std::ptrdiff_t>(i),
                                 std::move(made));
        ++i;
        fold(*region.operations[i - 1]);
      }
      for (ValueId result : region.operations[i]->results)
        definition_[result] = region.operations[i].get();
    }
  }

 private:
  const Operation* definition(ValueId value) const {
    const auto found = definition_.find(value);
    return found == definition_.end() ? nullptr : found->second;
  }

  void fold(Operation& operation) {
    if (!is_pointwise(operation.op) || operation.results.size() != 1) return;
    if (!is_uniform(kernel_, operation.results[0])) return;
    std::vector<double> numbers;
    for (ValueId operand : operation.operands) {
      const Operation* from = definition(operand);
      if (from == nullptr || from->op != Op::constant) return;
      numbers.push_back(from->constant);
    }
    double result = 0;
    if (!evaluate(operation.op, kernel_.type(operation.results[0]).dtype, numbers, result)) return;
    operation.op = Op::constant;
    operation.constant = result;
    operation.operands.clear();
  }

  /// (x * a) * b with a, b uniform: returns a * b, and makes `operation` x * that.
  std::unique_ptr<Operation> regroup(Operation& operation) {
    if (operation.op != Op::mul) return nullptr;
    if (kernel_.type(operation.results[0]).dtype != DType::f32) return nullptr;
    if (is_uniform(kernel_, operation.results[0])) return nullptr;
    for (const int outer : {0, 1}) {
      const ValueId factor = operation.operands[static_cast<std::size_t>(1 - outer)];
      if (!is_uniform(kernel_, factor)) continue;
      const Operation* inner = definition(operation.operands[static_cast<std::size_t>(outer)]);
      if (inner == nullptr || inner->op != Op::mul) continue;
      for (const int tile : {0, 1}) {
        const ValueId inner_factor = inner->operands[static_cast<std::size_t>(1 - tile)];
        if (!is_uniform(kernel_, inner_factor)) continue;
        const ValueId x = inner->operands[static_cast<std::size_t>(tile)];
        auto product =
            make(kernel_, Op::mul, kernel_.type(factor), {inner_factor, factor}, operation.where);
        uses_.resize(kernel_.values.size(), 0);
        operation.operands = {x, product->results[0]};
        // The inner product disappears when nobody else reads it; what it scales takes its name.
        const ir::Value& scaled = kernel_.values[static_cast<std::size_t>(inner->results[0])];
        ir::Value& plain = kernel_.values[static_cast<std::size_t>(x)];
        if (uses_[static_cast<std::size_t>(inner->results[0])] == 1 && plain.name.empty() &&
            !scaled.name.empty()) {
          plain.name = scaled.name;
          plain.where = scaled.where;
          plain.note = "before its factor";
        }
        return product;
      }
    }
    return nullptr;
  }

  ir::Kernel& kernel_;
  std::vector<int> uses_;
  std::map<ValueId, const Operation*> definition_;
};

}  // namespace

void simplify(ir::Kernel& kernel) {
  Simplifier(kernel).run(kernel.body);
  drop_dead(kernel);
}

}  // namespace tilewright::passes
