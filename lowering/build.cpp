// The statements of a trace, answered with tile IR. An operation is appended unless an equal one is
// in sight, and its type is inferred again. Loops and the grid: builder_control.cpp; names:
// builder_names.cpp; the state they share: builder.hpp; what the operations mean: ir/ir.hpp.
#include "build.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "builder.hpp"
#include "ir/errors.hpp"
#include "ir/flattened.hpp"
#include "ir/verify.hpp"
#include "program_errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright {

namespace {

/// Two operations with equal text compute the same value.
std::string text_of(const ir::Operation& operation, DType dtype, const ir::Type& type) {
  std::string text;
  const auto add = [&](auto number) { text += std::to_string(number) + ","; };
  add(static_cast<int>(operation.op));
  add(static_cast<int>(dtype));
  add(std::bit_cast<std::uint64_t>(operation.constant));
  add(operation.axis);
  text += operation.name + ";";
  for (const ValueId operand : operation.operands) add(operand);
  text += ";";
  for (const ir::Index& index : operation.indices) {
    add(static_cast<int>(index.kind));
    add(index.value);
    add(index.axis);
    add(index.step);
    add(index.offset);
  }
  text += ";";
  for (const ir::AxisId axis : type.axes) add(axis);
  return text;
}

ir::Type scalar(DType dtype) {
  ir::Type type;
  type.dtype = dtype;
  return type;
}

}  // namespace

Builder::Builder(std::string kernel_name, const ExtentMap& extents) : extents_(extents) {
  must_be_name("kernel", kernel_name, "");
  kernel_.name = std::move(kernel_name);
  push(Frame::Kind::kernel, &kernel_.body);
  for (const auto& [dim, extent] : extents) {
    if (extent < 1 || extent > std::numeric_limits<int>::max())
      throw Error(errors::program["extent-out-of-range"],
                  "the extent of dimension '" + dim + "' is out of range",
                  {dim, std::to_string(extent), "1 … 2147483647", ""});
    kernel_.bound[dim] = static_cast<int>(extent);
  }
}

void Builder::push(Frame::Kind kind, ir::Region* region) {
  frames_.push_back(Frame{kind, frame_count_++, region});
}

void Builder::declare(const Argument& argument) {
  must_be_name(argument.kind == Argument::Kind::scalar ? "scalar" : "tensor", argument.name, "");
  for (const std::string& dim : argument.dims) must_be_name("dimension", dim, "");
  if (kernel_.find_argument(argument.name) != nullptr)
    throw Error(errors::program["argument-declared-twice"],
                "kernel '" + kernel_.name + "' declares the argument '" + argument.name + "' twice",
                {argument.name, argument.name, "a name of its own for each argument", ""});
  kernel_.arguments.push_back(argument);
}

void Builder::must_see(ValueId value, const Provenance& where) const {
  const int home = home_[static_cast<std::size_t>(value)];
  for (const Frame& frame : frames_)
    if (frame.id == home) return;
  throw Error(
      errors::program["used-outside-scope"],
      described(value) + ", made at " + to_string(at(value).where) + " inside " + opened_.at(home) +
          ", is used outside of it",
      {at(value).name, "", "a Var declared before it carries a value out", to_string(where)});
}

ValueId Builder::define(ir::Type type, int frame, std::string name, const Provenance& where) {
  home_.push_back(frame);
  return kernel_.add_value(std::move(type), std::move(name), where);
}

ValueId Builder::append(ir::Operation operation, ir::Type type, const Provenance& where) {
  std::string text = text_of(operation, type.dtype, type);
  // What an InOut holds changes: a load of it equals only one that no write, and no turn of a loop,
  // stands between.
  const bool changes = is_in_out(operation);
  if (changes) text += "after " + std::to_string(writes_[operation.name]);
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
    if (const auto known = frame->known.find(text); known != frame->known.end())
      return known->second;
    if (changes) break;
  }
  Frame& frame = frames_.back();
  const std::string tensor = operation.op == Op::load ? operation.name : std::string();
  const ValueId result = define(std::move(type), frame.id, tensor, where);
  operation.results = {result};
  operation.where = where;
  frame.region->operations.push_back(std::make_unique<ir::Operation>(std::move(operation)));
  frame.known.emplace(text, result);
  return result;
}

bool Builder::is_in_out(const ir::Operation& operation) const {
  const Argument* argument =
      operation.op == Op::load ? kernel_.find_argument(operation.name) : nullptr;
  return argument != nullptr && argument->kind == Argument::Kind::in_out;
}

/// Masks are evaluated as often as it suits the compiler, or not at all.
void Builder::must_have_effects(const std::string& tensor, std::string_view what,
                                const Provenance& where) const {
  if (frames_.back().kind != Frame::Kind::mask) return;
  throw Error(errors::program["effect-inside-mask"], std::string(what) + " inside a mask",
              {tensor, "", "masks read In tensors and have no effect", to_string(where)});
}

ir::Type Builder::inferred(const Node& node, const ir::Operation& operation,
                           const Provenance& where) const {
  ir::Type type = scalar(node.dtype);
  if (node.op != Op::constant) {
    const auto result = ir::infer_type(kernel_, operation);
    if (result) type = *result;
    if (node.op == Op::cast) type.dtype = node.dtype;
  }
  // Dimensions are told by their names: in which order operands bring them in says nothing.
  std::vector<std::string> ours, theirs = node.dims;
  for (const ir::AxisId axis : type.axes)
    ours.push_back(kernel_.axes[static_cast<std::size_t>(axis)].dim);
  const auto text = [](DType dtype, std::vector<std::string>& dims) {
    std::sort(dims.begin(), dims.end());
    std::string all(tilewright::name(dtype));
    for (const std::string& dim : dims) all += " " + dim;
    return all;
  };
  const std::string in_program = text(type.dtype, ours), in_types = text(node.dtype, theirs);
  if (in_program != in_types)
    throw Error(errors::ir["kernel-inconsistent"],
                std::string(info(node.op).name) + " is " + in_types + " in C++ and " + in_program +
                    " in the program [internal defect]",
                {"", "", "", to_string(where)});
  return type;
}

ValueId Builder::value(const Node& node, const Provenance& where) {
  for (const ValueId operand : node.operands) must_see(operand, where);
  if (node.op == Op::take) {
    ir::Operation operation = taken(node, where);
    ir::Type type = inferred(node, operation, where);
    return append(std::move(operation), std::move(type), where);
  }
  must_be_one_tiling(node.operands, {}, where);
  ir::Operation operation;
  operation.op = node.op;
  operation.operands = node.operands;
  operation.constant = node.constant;
  switch (node.op) {
    case Op::index:
    case Op::iota:
      operation.axis =
          node.indices.empty()
              ? axis_of(User::index, std::string(info(node.op).name) + "(" + node.name + ")",
                        node.name, where)
              : resolved("", node.indices, where)[0].axis;
      break;
    case Op::extent:
      must_be_dimension("extent(" + node.name + ")", node.name, where);
      return extent(node.name, where);
    case Op::load:
      operation.name = node.name;
      if (is_in_out(operation)) must_have_effects(node.name, "a load of an InOut", where);
      operation.indices = resolved(node.name, node.indices, where);
      must_be_one_tiling({}, operation.indices, where);
      break;
    case Op::dot:
    case Op::reduce_max:
    case Op::reduce_sum:
    case Op::reduce_argmax: operation.axis = vanishing_axis(node, where); break;
    default: operation.name = node.name; break;
  }
  ir::Type type = inferred(node, operation, where);
  return append(std::move(operation), std::move(type), where);
}

void Builder::name(ValueId value, std::string_view name, const Provenance& where) {
  must_see(value, where);
  must_be_name("value", name, to_string(where));
  if (!named_by_user_.insert(value).second) return;
  ir::Value& named = kernel_.values[static_cast<std::size_t>(value)];
  named.name = name;
  named.where = where;
}

void Builder::store(const std::string& tensor, const std::vector<IndexSpec>& indices, ValueId value,
                    const Provenance& where) {
  write(Op::store, tensor, indices, value, where);
}

void Builder::atomic_add(const std::string& tensor, const std::vector<IndexSpec>& indices,
                         ValueId value, const Provenance& where) {
  write(Op::atomic_add, tensor, indices, value, where);
}

void Builder::write(Op op, const std::string& tensor, const std::vector<IndexSpec>& indices,
                    ValueId value, const Provenance& where) {
  must_see(value, where);
  auto operation = std::make_unique<ir::Operation>();
  operation->op = op;
  operation->name = tensor;
  operation->indices = resolved(tensor, indices, where);
  for (const ir::Index& index : operation->indices)
    if (index.axis >= 0 && op == Op::store) must_not_overlap(tensor, index.axis, where);
  if (op == Op::atomic_add && at(value).type.axes.empty()) {
    ir::Operation tile;
    tile.op = Op::load;
    tile.name = tensor;
    tile.indices = operation->indices;
    value = broadcast(value, *ir::infer_type(kernel_, tile), where);
  }
  operation->operands = {value};
  operation->where = where;
  must_be_one_tiling({value}, operation->indices, where);
  must_have_effects(tensor, op == Op::store ? "a store" : "an atomic_add", where);
  ++writes_[tensor];
  frames_.back().region->operations.push_back(std::move(operation));
}

/// A flattened dimension is as long as the product of its parts.
ValueId Builder::extent(const std::string& dim, const Provenance& where) {
  ValueId product = no_value;
  for (const std::string& part : ir::parts_of(dim)) {
    counted_.insert(part);
    ir::Operation operation;
    operation.op = Op::extent;
    operation.name = part;
    if (const auto bound = extents_.find(part); bound != extents_.end()) {
      operation.op = Op::constant;
      operation.constant = static_cast<double>(bound->second);
      operation.name.clear();
    }
    const ValueId one = append(std::move(operation), scalar(i32), where);
    if (product == no_value) {
      product = one;
      continue;
    }
    ir::Operation both;
    both.op = Op::mul;
    both.operands = {product, one};
    product = append(std::move(both), scalar(i32), where);
  }
  return product;
}

ValueId Builder::filled(double number, const ir::Type& type, const Provenance& where) {
  ir::Operation operation;
  operation.op = Op::constant;
  operation.constant = number;
  return append(std::move(operation), type, where);
}

/// `value` with all of `type`'s axes, in its order: a filled constant, else a product with one.
ValueId Builder::broadcast(ValueId value, const ir::Type& type, const Provenance& where) {
  if (at(value).type == type) return value;
  for (const Frame& frame : frames_)
    for (const auto& operation : frame.region->operations)
      if (operation->op == Op::constant && operation->results[0] == value)
        return filled(operation->constant, type, where);
  ir::Operation operation;
  operation.op = type.dtype == b1 ? Op::logical_and : Op::mul;
  operation.operands = {filled(1, type, where), value};
  return append(std::move(operation), type, where);
}

VariableId Builder::variable(std::string_view name, DType dtype,
                             const std::vector<std::string>& dims, ValueId init,
                             const Provenance& where) {
  must_be_name("Var", name, to_string(where));
  must_see(init, where);
  Variable variable{std::string(name), scalar(dtype), no_value, frames_.back().id, where};
  for (const std::string& dim : dims)
    variable.type.axes.push_back(
        axis_of(User::variable, "Var \"" + variable.name + "\"", dim, where));
  must_be_one_tiling({init}, {}, where);
  variable.current = broadcast(init, variable.type, where);
  variables_.push_back(std::move(variable));
  return static_cast<VariableId>(variables_.size()) - 1;
}

ValueId Builder::read(VariableId id) {
  const Variable& variable = variables_[static_cast<std::size_t>(id)];
  for (const Frame& frame : frames_)
    if (frame.id == variable.frame) return variable.current;
  throw Error(errors::program["used-outside-scope"],
              "Var '" + variable.name + "', made inside " + opened_.at(variable.frame) +
                  ", is used outside of it",
              {variable.name, "", "declare it before that", to_string(variable.where)});
}

void Builder::assign(VariableId id, ValueId value, const Provenance& where) {
  read(id);
  must_see(value, where);
  Variable& variable = variables_[static_cast<std::size_t>(id)];
  if (frames_.back().kind == Frame::Kind::mask)
    throw Error(errors::program["effect-inside-mask"], "an assignment to a Var inside a mask",
                {variable.name, "", "masks have no effect", to_string(where)});
  for (const ir::AxisId axis : at(value).type.axes)
    if (std::find(variable.type.axes.begin(), variable.type.axes.end(), axis) ==
        variable.type.axes.end())
      throw Error(errors::program["var-of-another-tiling"],
                  "Var '" + variable.name + "', declared at " + to_string(variable.where) +
                      ", holds another tiling of dimension '" +
                      kernel_.axes[static_cast<std::size_t>(axis)].dim + "'",
                  {variable.name, "", "", to_string(where)});
  variable.current = broadcast(value, variable.type, where);
  ir::Value& now = kernel_.values[static_cast<std::size_t>(variable.current)];
  if (now.name.empty() && home_[static_cast<std::size_t>(variable.current)] == frames_.back().id) {
    now.name = variable.name;
    now.where = where;
    named_by_user_.insert(variable.current);
  }
}

ir::Kernel Builder::finish() {
  std::set<std::string> known = counted_;
  for (const Argument& argument : kernel_.arguments)
    known.insert(argument.dims.begin(), argument.dims.end());
  for (const ir::Axis& axis : kernel_.axes)
    for (const std::string& part : ir::parts_of(axis.dim)) known.insert(part);
  for (const auto& [dim, extent] : extents_) {
    if (known.contains(dim)) continue;
    std::string list;
    for (const std::string& name : known) list += (list.empty() ? "" : ", ") + name;
    throw Error(errors::program["dimension-not-in-kernel"],
                "an extent for a dimension that kernel '" + kernel_.name + "' lacks",
                {dim, dim, list, ""});
  }
  drop_unused_values();
  settle_temporaries();
  return std::move(kernel_);
}

ir::Kernel build(const KernelSource& source, const std::map<std::string, std::int64_t>& extents) {
  Builder builder(source.name(), extents);
  source.trace(builder);
  ir::Kernel kernel = builder.finish();
  ir::verify(kernel, "trace");
  return kernel;
}

}  // namespace tilewright
