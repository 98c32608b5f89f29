// The type rule of every operation: what `verify` infers again after each pass. One function per
// family of operations; a broken rule throws with the operation's own words, which verify prefixes.
#include <algorithm>

#include "ir/errors.hpp"
#include "ir/print.hpp"
#include "ir/verify.hpp"
#include "tilewright/error.hpp"

namespace tilewright::ir {

namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(errors::ir["kernel-inconsistent"], message);
}

Type scalar_type(DType dtype) {
  Type type;
  type.dtype = dtype;
  return type;
}

bool has_axis(const Type& type, AxisId axis) {
  return std::find(type.axes.begin(), type.axes.end(), axis) != type.axes.end();
}

class Rules {
 public:
  Rules(const Kernel& kernel, const Operation& operation) : kernel_(kernel), op_(operation) {}

  std::optional<Type> result() const {
    switch (op_.op) {
      case Op::constant: return constant();
      case Op::scalar_argument: return scalar_argument();
      case Op::each:
      case Op::block: return grid_number();
      case Op::index:
      case Op::iota: return index();
      case Op::extent:
        if (op_.name.empty()) refuse("extent without a dimension");
        return scalar_type(DType::i32);
      case Op::load: return tensor(false).value();
      case Op::store:
      case Op::atomic_add: return store();
      case Op::dot: return dot();
      case Op::reduce_max:
      case Op::reduce_sum:
      case Op::reduce_argmax: return reduction();
      case Op::take: return take();
      case Op::wait:
        for (std::size_t i = 0; i < op_.operands.size(); ++i)
          if (operand(i).kind != Type::Kind::token) refuse("wait takes tokens");
        return std::nullopt;
      case Op::copy_async: return copy_async();
      case Op::operand_load: return operand_load();
      case Op::finish_reduce: only_buffers_after(1); return tile_operand(0);
      case Op::convert_layout: return convert_layout();
      case Op::shared_alloc:
        if (op_.results.size() != 1 || kernel_.type(op_.results[0]).kind != Type::Kind::buffer)
          refuse("shared_alloc gives one buffer");
        return kernel_.type(op_.results[0]);
      case Op::barrier:
      case Op::yield:
      case Op::for_blocks:
      case Op::for_range:
      case Op::when: return std::nullopt;
      default: return pointwise();
    }
  }

 private:
  const Type& operand(std::size_t i) const { return kernel_.type(op_.operands[i]); }

  const Type& tile_operand(std::size_t i) const {
    if (operand(i).kind != Type::Kind::tile)
      refuse("operand " + print_value(kernel_, op_.operands[i]) + " is not a tile");
    return operand(i);
  }

  void expect_i32(ValueId value, const char* what) const {
    if (value < 0 || kernel_.type(value) != scalar_type(DType::i32))
      refuse(std::string(what) + " must be an i32 scalar");
  }

  const Axis& axis(AxisId id) const {
    if (id < 0 || static_cast<std::size_t>(id) >= kernel_.axes.size())
      refuse("axis " + std::to_string(id) + " does not exist");
    return kernel_.axes[static_cast<std::size_t>(id)];
  }

  /// Any tile may be filled with one number.
  Type constant() const {
    if (op_.results.size() != 1) refuse("a constant gives one value");
    Type type = kernel_.type(op_.results[0]);
    type.kind = Type::Kind::tile;
    return type;
  }

  Type scalar_argument() const {
    const Argument* argument = kernel_.find_argument(op_.name);
    if (!argument || argument->kind != Argument::Kind::scalar)
      refuse("there is no scalar argument '" + op_.name + "'");
    return scalar_type(argument->dtype);
  }

  Type grid_number() const {
    if (std::find(kernel_.grid.begin(), kernel_.grid.end(), op_.name) == kernel_.grid.end())
      refuse("'" + op_.name + "' is not a dimension of the grid");
    return scalar_type(DType::i32);
  }

  Type index() const {
    axis(op_.axis);
    Type type = scalar_type(DType::i32);
    type.axes = {op_.axis};
    return type;
  }

  /// The tile that the indices select from the named tensor.
  std::optional<Type> tensor(bool written) const {
    const Argument* argument = kernel_.find_argument(op_.name);
    if (!argument || argument->kind == Argument::Kind::scalar)
      refuse("there is no tensor '" + op_.name + "'");
    if (!written && argument->kind == Argument::Kind::out)
      refuse("'" + op_.name + "' is an output and cannot be loaded");
    if (written && argument->kind == Argument::Kind::in)
      refuse("'" + op_.name + "' is an input and cannot be stored to");
    if (op_.indices.size() != argument->dims.size())
      refuse("'" + op_.name + "' has " + std::to_string(argument->dims.size()) + " axes, not " +
             std::to_string(op_.indices.size()));
    Type type = scalar_type(argument->dtype);
    std::vector<AxisId> direct;
    for (const Index& index : op_.indices) {
      if (index.kind == IndexSpec::Kind::gather) {
        const Type& picks = kernel_.type(index.value);
        if (picks.kind != Type::Kind::tile || picks.dtype != DType::i32 || picks.axes.empty())
          refuse("a tile of indices must be i32");
        for (const AxisId id : picks.axes)
          if (!has_axis(type, id)) type.axes.push_back(id);
        continue;
      }
      if (index.kind == IndexSpec::Kind::scalar) {
        expect_i32(index.value, "an index");
        continue;
      }
      const bool whole = axis(index.axis).kind == Axis::Kind::whole;
      if (whole != (index.kind == IndexSpec::Kind::whole))
        refuse("the index over '" + axis(index.axis).dim + "' is not of its axis's kind");
      if (std::find(direct.begin(), direct.end(), index.axis) != direct.end())
        refuse("axis '" + axis(index.axis).dim + "' indexes '" + op_.name + "' twice");
      if (index.step < 1)
        refuse("the index over '" + axis(index.axis).dim + "' has step " +
               std::to_string(index.step));
      direct.push_back(index.axis);
      if (!has_axis(type, index.axis)) type.axes.push_back(index.axis);
    }
    return type;
  }

  std::optional<Type> store() const {
    const Type target = *tensor(true);
    const Type& value = tile_operand(0);
    if (!std::is_permutation(target.axes.begin(), target.axes.end(), value.axes.begin(),
                             value.axes.end()))
      refuse("the stored tile is " + print_type(kernel_, value) + ", the indices select " +
             print_type(kernel_, target));
    if (op_.op == Op::atomic_add && value.dtype != target.dtype)
      refuse("adds " + std::string(name(value.dtype)) + " to " + std::string(name(target.dtype)));
    if (is_floating(value.dtype) != is_floating(target.dtype))
      refuse("a store may round, but not turn " + std::string(name(value.dtype)) + " into " +
             std::string(name(target.dtype)));
    return std::nullopt;
  }

  Type dot() const {
    if (op_.operands.size() != 2 && op_.operands.size() != 3)
      refuse("dot takes two operands and perhaps an accumulator");
    const Type& a = tile_operand(0);
    const Type& b = tile_operand(1);
    const std::string over = "'" + axis(op_.axis).dim + "'";
    if (!has_axis(a, op_.axis) || !has_axis(b, op_.axis))
      refuse("both operands of a dot must have the axis " + over);
    if (a.dtype != b.dtype) refuse("the operands of a dot have different element types");
    if (a.dtype == DType::b1) refuse("dot of b1 tiles");
    Type type = scalar_type(is_floating(a.dtype) ? DType::f32 : DType::i32);
    for (const Type* side : {&a, &b})
      for (const AxisId id : side->axes)
        if (id != op_.axis && !has_axis(type, id)) type.axes.push_back(id);
    if (op_.operands.size() == 3) {
      const Type& sum = tile_operand(2);
      if (sum.dtype != type.dtype || !std::is_permutation(sum.axes.begin(), sum.axes.end(),
                                                          type.axes.begin(), type.axes.end()))
        refuse("the accumulator is " + print_type(kernel_, sum) + ", the product " +
               print_type(kernel_, type));
    }
    return type;
  }

  /// Through which a value passes between warps.
  void only_buffers_after(std::size_t first) const {
    if (op_.operands.empty()) refuse("has no operand");
    for (std::size_t i = first; i < op_.operands.size(); ++i)
      if (operand(i).kind != Type::Kind::buffer || !op_.across_warps)
        refuse("operand " + print_value(kernel_, op_.operands[i]) + " is no buffer between warps");
  }

  /// (x[, what shows of it: reduce_argmax, masked][, buffer between warps])
  Type reduction() const {
    const bool shows = op_.op == Op::reduce_argmax && op_.masked && op_.operands.size() > 1 &&
                       operand(1).kind == Type::Kind::tile;
    only_buffers_after(shows ? 2 : 1);
    Type type = tile_operand(0);
    if (shows)
      for (const AxisId id : operand(1).axes)
        if (operand(1).dtype != DType::b1 || !has_axis(type, id))
          refuse("what shows is not b1 of the operand's axes");
    if (!has_axis(type, op_.axis))
      refuse("the operand of a reduction has no axis '" + axis(op_.axis).dim + "'");
    if (type.dtype == DType::b1) refuse("reduction of a b1 tile");
    std::erase(type.axes, op_.axis);
    if (op_.op == Op::reduce_argmax) type.dtype = DType::i32;
    return type;
  }

  /// (x, i[, buffer it goes through])
  Type take() const {
    if (op_.operands.size() < 2) refuse("take takes a tile and indices");
    Type type = tile_operand(0);
    const Type& picks = tile_operand(1);
    if (!has_axis(type, op_.axis)) refuse("the tile has no axis '" + axis(op_.axis).dim + "'");
    if (picks.dtype != DType::i32) refuse("indices must be i32");
    if (op_.operands.size() > 2 && operand(2).kind != Type::Kind::buffer)
      refuse("its third operand is no buffer");
    std::erase(type.axes, op_.axis);
    for (const AxisId id : picks.axes)
      if (!has_axis(type, id)) type.axes.push_back(id);
    return type;
  }

  std::optional<Type> copy_async() const {
    if (op_.operands.empty() || operand(0).kind != Type::Kind::buffer)
      refuse("copy_async takes a buffer");
    const Type tile = *tensor(false);
    if (tile.dtype != operand(0).dtype || tile.axes != operand(0).axes)
      refuse("the buffer holds " + print_type(kernel_, operand(0)) + ", the copy brings " +
             print_type(kernel_, tile));
    Type token;
    token.kind = Type::Kind::token;
    return token;
  }

  Type operand_load() const {
    if (op_.operands.empty() || operand(0).kind != Type::Kind::buffer)
      refuse("operand_load takes a buffer");
    Type type = operand(0);
    type.kind = Type::Kind::tile;
    return type;
  }

  Type convert_layout() const {
    Type type = operand(0);
    if (type.kind == Type::Kind::token) refuse("a token has no layout");
    if (op_.results.size() == 1) type.kind = kernel_.type(op_.results[0]).kind;
    return type;
  }

  Type pointwise() const {
    const Op op = op_.op;
    const bool condition = op == Op::select;
    DType dtype = tile_operand(condition ? 1 : 0).dtype;
    Type type;
    for (std::size_t i = 0; i < op_.operands.size(); ++i) {
      const Type& side = tile_operand(i);
      if (condition && i == 0 && side.dtype != DType::b1) refuse("the condition is not b1");
      if (!(condition && i == 0) && side.dtype != dtype)
        refuse("operands of " + std::string(name(dtype)) + " and " + std::string(name(side.dtype)));
      for (const AxisId id : side.axes)
        if (!has_axis(type, id)) type.axes.push_back(id);
    }
    const bool logical = op == Op::logical_and || op == Op::logical_or || op == Op::logical_not;
    const bool integers = op == Op::mod || op == Op::shl || op == Op::shr;
    if (op == Op::random_bits && dtype != DType::i32) refuse("needs i32");
    const bool bits = op >= Op::bit_and && op <= Op::bit_not;
    const bool floats = op >= Op::exp2 && op <= Op::exp2_safe && op != Op::abs;
    const bool free = condition || op == Op::cast || op == Op::eq || op == Op::ne;
    if (logical && dtype != DType::b1) refuse("logic on " + std::string(name(dtype)));
    if (integers && !is_integer(dtype)) refuse("needs integers");
    if (bits && is_floating(dtype)) refuse("needs integers or b1");
    if (floats && !is_floating(dtype)) refuse("needs a floating type");
    if (!logical && !bits && !free && dtype == DType::b1) refuse("arithmetic on b1");
    if (op == Op::cast)
      dtype = op_.results.size() == 1 ? kernel_.type(op_.results[0]).dtype : dtype;
    type.dtype = is_comparison(op) ? DType::b1 : dtype;
    return type;
  }

  const Kernel& kernel_;
  const Operation& op_;
};

}  // namespace

std::optional<Type> infer_type(const Kernel& kernel, const Operation& operation) {
  return Rules(kernel, operation).result();
}

}  // namespace tilewright::ir
