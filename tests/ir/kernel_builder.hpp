// Builds kernels by hand for tests of the IR and of the mask analysis: one call per operation,
// types inferred the way the language does it. Regions are lambdas, as in the language.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ir/ir.hpp"
#include "ir/verify.hpp"

namespace tilewright::test {

class KernelBuilder {
 public:
  explicit KernelBuilder(std::string name) {
    kernel.name = std::move(name);
    region_ = &kernel.body;
  }

  ir::Kernel kernel;

  ir::AxisId whole(const std::string& dim, int extent) {
    kernel.bound[dim] = extent;
    return add_axis(dim, ir::Axis::Kind::whole, extent);
  }
  ir::AxisId blocks(const std::string& dim, int tile) {
    const ir::AxisId axis = add_axis(dim, ir::Axis::Kind::grid, tile);
    kernel.grid.push_back(dim);
    auto& op = add(Op::block, {}, i32());
    op.name = dim;
    kernel.axes[static_cast<std::size_t>(axis)].block = op.results[0];
    return axis;
  }
  ir::AxisId loop_axis(const std::string& dim, int tile) {
    const ir::AxisId axis = add_axis(dim, ir::Axis::Kind::loop, tile);
    kernel.axes[static_cast<std::size_t>(axis)].block = kernel.add_value(i32(), dim + "_block");
    return axis;
  }
  ValueId each(const std::string& dim) {
    kernel.grid.push_back(dim);
    auto& op = add(Op::each, {}, i32());
    op.name = dim;
    return op.results[0];
  }
  void tensor(Argument::Kind kind, const std::string& name, DType dtype,
              std::vector<std::string> dims) {
    kernel.arguments.push_back({kind, name, dtype, std::move(dims)});
  }
  ValueId scalar(const std::string& name, DType dtype) {
    if (!kernel.find_argument(name))
      kernel.arguments.push_back({Argument::Kind::scalar, name, dtype, {}});
    auto& op = add(Op::scalar_argument, {}, {.dtype = dtype});
    op.name = name;
    return op.results[0];
  }
  ValueId constant(DType dtype, double value) {
    auto& op = add(Op::constant, {}, {.dtype = dtype});
    op.constant = value;
    return op.results[0];
  }
  ValueId number(std::int64_t value) { return constant(DType::i32, static_cast<double>(value)); }
  ValueId index(ir::AxisId axis) {
    auto& op = add(Op::index, {}, {.dtype = DType::i32, .axes = {axis}});
    op.axis = axis;
    return op.results[0];
  }
  ValueId extent(const std::string& dim) {
    auto& op = add(Op::extent, {}, i32());
    op.name = dim;
    return op.results[0];
  }
  static ir::Index at(ValueId value) { return {IndexSpec::Kind::scalar, value, -1}; }
  ir::Index over(ir::AxisId axis) const {
    const bool whole = kernel.axes[static_cast<std::size_t>(axis)].kind == ir::Axis::Kind::whole;
    return {whole ? IndexSpec::Kind::whole : IndexSpec::Kind::block, no_value, axis};
  }
  ValueId load(const std::string& name, std::vector<ir::Index> indices) {
    ir::Type type{.dtype = kernel.find_argument(name)->dtype};
    for (const ir::Index& index : indices)
      if (index.kind != IndexSpec::Kind::scalar) type.axes.push_back(index.axis);
    auto& op = add(Op::load, {}, type);
    op.name = name;
    op.indices = std::move(indices);
    return op.results[0];
  }
  void store(const std::string& name, std::vector<ir::Index> indices, ValueId value) {
    auto& op = add(Op::store, {value});
    op.name = name;
    op.indices = std::move(indices);
  }
  /// A pointwise operation: axes are united in order, the element type follows from the operation.
  ValueId apply(Op op, std::vector<ValueId> operands) {
    ir::Type type;
    for (const ValueId operand : operands)
      for (const ir::AxisId axis : kernel.type(operand).axes)
        if (std::find(type.axes.begin(), type.axes.end(), axis) == type.axes.end())
          type.axes.push_back(axis);
    type.dtype = is_comparison(op) ? DType::b1 : kernel.type(operands.back()).dtype;
    return add(op, std::move(operands), type).results[0];
  }
  ValueId cast(DType dtype, ValueId value) {
    ir::Type type = kernel.type(value);
    type.dtype = dtype;
    return add(Op::cast, {value}, type).results[0];
  }
  ValueId dot(ValueId a, ValueId b, ir::AxisId axis, ValueId sum = no_value) {
    ir::Type type{.dtype = DType::f32};
    for (const ValueId side : {a, b})
      for (const ir::AxisId id : kernel.type(side).axes)
        if (id != axis && std::find(type.axes.begin(), type.axes.end(), id) == type.axes.end())
          type.axes.push_back(id);
    std::vector<ValueId> operands = {a, b};
    if (sum != no_value) operands.push_back(sum);
    auto& op = add(Op::dot, operands, type);
    op.axis = axis;
    return op.results[0];
  }
  ValueId reduce(Op op, ValueId value, ir::AxisId axis) {
    ir::Type type = kernel.type(value);
    std::erase(type.axes, axis);
    auto& made = add(op, {value}, type);
    made.axis = axis;
    return made.results[0];
  }
  /// A constant tile with axes, as a Var starts from.
  ValueId filled(DType dtype, double value, const std::vector<ir::AxisId>& axes) {
    auto& op = add(Op::constant, {}, {.dtype = dtype, .axes = axes});
    op.constant = value;
    return op.results[0];
  }
  ValueId name(ValueId value, const std::string& name) {
    kernel.values[static_cast<std::size_t>(value)].name = name;
    kernel.values[static_cast<std::size_t>(value)].where = where();
    return value;
  }

  using Values = std::vector<ValueId>;
  /// `mask` may be empty. `body` takes the carried values and gives the next ones.
  Values for_blocks(ir::AxisId axis, const Values& start, const std::function<ValueId()>& mask,
                    const std::function<Values(const Values&)>& body) {
    auto& op = add(Op::for_blocks, start);
    op.axis = axis;
    op.regions.push_back(std::make_unique<ir::Region>());
    if (mask) inside(*op.regions[0], [&] { add(Op::yield, {mask()}); });
    return run_body(op, kernel.axes[static_cast<std::size_t>(axis)].block, start, body);
  }
  Values for_range(ValueId count, const Values& start,
                   const std::function<Values(ValueId, const Values&)>& body) {
    Values operands = {count};
    operands.insert(operands.end(), start.begin(), start.end());
    auto& op = add(Op::for_range, operands);
    const ValueId counter = kernel.add_value(i32(), "");
    return run_body(op, counter, start, [&](const Values& c) { return body(counter, c); });
  }

  ir::Operation& add(Op op, Values operands) {
    auto made = std::make_unique<ir::Operation>();
    made->op = op;
    made->operands = std::move(operands);
    made->where = where();
    region_->operations.push_back(std::move(made));
    return *region_->operations.back();
  }
  ir::Operation& add(Op op, Values operands, ir::Type type) {
    ir::Operation& made = add(op, std::move(operands));
    made.results = {kernel.add_value(std::move(type))};
    return made;
  }

 private:
  static ir::Type i32() { return {.dtype = DType::i32}; }

  Provenance where() { return {{"/tree/examples/user.cpp", ++line_}, {}}; }

  ir::AxisId add_axis(const std::string& dim, ir::Axis::Kind kind, int tile) {
    kernel.axes.push_back({.dim = dim, .kind = kind, .tile = tile});
    return static_cast<ir::AxisId>(kernel.axes.size()) - 1;
  }

  void inside(ir::Region& region, const std::function<void()>& action) {
    ir::Region* outer = region_;
    region_ = &region;
    action();
    region_ = outer;
  }

  Values run_body(ir::Operation& op, ValueId counter, const Values& start,
                  const std::function<Values(const Values&)>& body) {
    op.regions.push_back(std::make_unique<ir::Region>());
    ir::Region& region = *op.regions.back();
    region.arguments = {counter};
    Values carried;
    for (const ValueId value : start) {
      carried.push_back(kernel.add_value(kernel.type(value)));
      region.arguments.push_back(carried.back());
    }
    inside(region, [&] {
      const Values next = body(carried);
      add(Op::yield, next);
    });
    for (const ValueId value : start) op.results.push_back(kernel.add_value(kernel.type(value)));
    return op.results;
  }

  ir::Region* region_ = nullptr;
  std::uint32_t line_ = 0;
};

}  // namespace tilewright::test
