// Structure and discipline: definitions dominate uses, regions are well formed, loops carry what
// they say, copies are waited for before their buffer is read. Types are in infer_type.cpp.
#include "ir/verify.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "ir/cut_tiles.hpp"
#include "ir/errors.hpp"
#include "ir/print.hpp"
#include "tilewright/error.hpp"

namespace tilewright::ir {

namespace {

class Verifier {
 public:
  Verifier(const Kernel& kernel, std::string_view after)
      : kernel_(kernel),
        after_(after),
        defined_(kernel.values.size(), false),
        visible_(kernel.values.size(), false) {}

  void all() {
    for (const Axis& axis : kernel_.axes) check_axis(axis);
    find_copied_buffers(kernel_.body);
    if (!kernel_.body.arguments.empty()) refuse(nullptr, "the kernel's body has arguments");
    region(kernel_.body, false);
    check_sunk(kernel_.body, use_counts(kernel_), false);
    for (std::size_t i = 0; i < kernel_.axes.size(); ++i) {
      const ValueId block = kernel_.axes[i].block;
      if (block != no_value && !defined_[static_cast<std::size_t>(block)])
        refuse(nullptr, "the block number of axis '" + kernel_.axes[i].dim + "' is never defined");
    }
    for (const auto& [token, copy] : pending_)
      if (!waited_.contains(token))
        refuse(copy, "the token of a copy into " + print_value(kernel_, copy->operands[0]) +
                         " is never waited for");
  }

 private:
  [[noreturn]] void refuse(const Operation* op, const std::string& message) const {
    std::string text = "after " + after_ + ": ";
    if (op) {
      if (!op->results.empty()) text += print_value(kernel_, op->results[0]) + " = ";
      text += std::string(info(op->op).name) + ": ";
    }
    throw Error(errors::ir["kernel-inconsistent"], text + message + " [internal defect]",
                {op ? std::string(info(op->op).name) : kernel_.name, "", "",
                 op ? to_string(op->where) : ""});
  }

  static Type i32_scalar() {
    Type type;
    type.dtype = DType::i32;
    return type;
  }

  bool exists(ValueId value) const {
    return value >= 0 && static_cast<std::size_t>(value) < kernel_.values.size();
  }

  void check_axis(const Axis& axis) const {
    if (axis.dim.empty()) refuse(nullptr, "an axis has no dimension");
    if (axis.tile < 0 || axis.padded < 0 || (axis.padded && axis.padded < axis.tile))
      refuse(nullptr, "axis '" + axis.dim + "' has tile " + std::to_string(axis.tile) +
                          " and padded tile " + std::to_string(axis.padded));
    if (axis.kind == Axis::Kind::whole && axis.block != no_value)
      refuse(nullptr, "the whole axis '" + axis.dim + "' has a block number");
    if (axis.before < 0 || axis.after < 0 || (axis.follows < 0 && (axis.before || axis.after)))
      refuse(nullptr, "axis '" + axis.dim + "' has a halo around no tile");
    if (axis.follows >= 0) {
      const bool there = static_cast<std::size_t>(axis.follows) < kernel_.axes.size();
      const Axis* leader = there ? &kernel_.axes[static_cast<std::size_t>(axis.follows)] : nullptr;
      if (!leader || leader->follows >= 0 || leader->block != axis.block ||
          leader->kind != axis.kind)
        refuse(nullptr, "axis '" + axis.dim + "' follows no tiled axis of its block");
      if (leader->tile > 0 && axis.tile > 0 && axis.tile != leader->tile + axis.before + axis.after)
        refuse(nullptr, "axis '" + axis.dim + "' has tile " + std::to_string(axis.tile) +
                            ", the tile it follows and its halo are " +
                            std::to_string(leader->tile + axis.before + axis.after));
    }
    if (axis.kind != Axis::Kind::whole && !exists(axis.block))
      refuse(nullptr, "the tiled axis '" + axis.dim + "' has no block number");
  }

  void define(ValueId value, const Operation* op) {
    if (!exists(value)) refuse(op, "value " + std::to_string(value) + " does not exist");
    const auto i = static_cast<std::size_t>(value);
    if (defined_[i]) refuse(op, print_value(kernel_, value) + " is defined twice");
    const Type& type = kernel_.type(value);
    for (std::size_t a = 0; a < type.axes.size(); ++a) {
      if (type.axes[a] < 0 || static_cast<std::size_t>(type.axes[a]) >= kernel_.axes.size())
        refuse(op, print_value(kernel_, value) + " has an axis that does not exist");
      if (std::count(type.axes.begin(), type.axes.end(), type.axes[a]) != 1)
        refuse(op, print_value(kernel_, value) + " has an axis twice");
    }
    defined_[i] = visible_[i] = true;
    scope_.push_back(value);
  }

  void use(ValueId value, const Operation& op) const {
    if (!exists(value)) refuse(&op, "operand " + std::to_string(value) + " does not exist");
    if (!visible_[static_cast<std::size_t>(value)])
      refuse(&op, "operand " + print_value(kernel_, value) +
                      (defined_[static_cast<std::size_t>(value)]
                           ? " is used outside the region that defines it"
                           : " is used before it is defined"));
  }

  /// `yields`: the region must end in a yield, whose operation is returned.
  const Operation* region(const Region& region, bool yields) {
    for (std::size_t i = 0; i < region.operations.size(); ++i) {
      const Operation& op = *region.operations[i];
      if (op.op == Op::yield && (!yields || i + 1 != region.operations.size()))
        refuse(&op, "a yield that does not end a loop's region");
      operation(op);
    }
    if (!yields) return nullptr;
    if (region.operations.empty() || region.operations.back()->op != Op::yield) return nullptr;
    return region.operations.back().get();
  }

  void leave(std::size_t mark) {
    for (; scope_.size() > mark; scope_.pop_back())
      visible_[static_cast<std::size_t>(scope_.back())] = false;
  }

  void operation(const Operation& op) {
    for (const ValueId operand : op.operands) use(operand, op);
    for (const Index& index : op.indices)
      if (index.kind == IndexSpec::Kind::scalar || index.kind == IndexSpec::Kind::gather)
        use(index.value, op);
    if (op.sign_of != no_value) use(op.sign_of, op);
    const int arity = info(op.op).arity;
    if (arity >= 0 && op.operands.size() != static_cast<std::size_t>(arity))
      refuse(&op, "takes " + std::to_string(arity) + " operands, has " +
                      std::to_string(op.operands.size()));
    if (writes_memory(op.op)) store(op);
    check_uses_of_axes(op);

    if (op.op == Op::for_blocks || op.op == Op::for_range) {
      loop(op);
    } else if (op.op == Op::when) {
      branch(op);
    } else {
      if (!op.regions.empty()) refuse(&op, "has a region");
      check_type(op);
      check_copies(op);
    }
    for (const ValueId result : op.results) define(result, &op);
  }

  /// (value[, visible, where a mask hides elements][, buffer it is staged through])
  void store(const Operation& op) const {
    if (op.operands.empty()) refuse(&op, "stores no value");
    for (std::size_t i = 1; i < op.operands.size(); ++i) {
      const Type& extra = kernel_.type(op.operands[i]);
      const bool visible = extra.kind == Type::Kind::tile && extra.dtype == DType::b1;
      if (!visible && extra.kind != Type::Kind::buffer)
        refuse(&op, "has an operand that is neither a condition nor a buffer");
    }
  }

  /// A tiled axis may be used only where its block number is known.
  void check_uses_of_axes(const Operation& op) const {
    const auto check = [&](AxisId axis) {
      if (axis < 0 || static_cast<std::size_t>(axis) >= kernel_.axes.size()) return;
      const Axis& a = kernel_.axes[static_cast<std::size_t>(axis)];
      if (a.kind != Axis::Kind::whole && !visible_[static_cast<std::size_t>(a.block)] &&
          op.stage_ahead == 0)
        refuse(&op, "axis '" + a.dim + "' is used outside its loop");
    };
    if (op.op == Op::index || op.op == Op::iota) check(op.axis);
    if (op.op == Op::load || writes_memory(op.op))
      for (const Index& index : op.indices)
        if (index.kind != IndexSpec::Kind::scalar) check(index.axis);
  }

  void check_type(const Operation& op) const {
    std::optional<Type> expected;
    try {
      expected = infer_type(kernel_, op);
    } catch (const Error& error) {
      refuse(&op, error.what());
    }
    const bool one = expected.has_value();
    if (op.results.size() != (one ? 1u : 0u))
      refuse(&op, "gives " + std::to_string(op.results.size()) + " results");
    if (!one) return;
    if (!exists(op.results[0])) refuse(&op, "its result does not exist");
    const Type& actual = kernel_.type(op.results[0]);
    if (actual.kind != expected->kind || actual.dtype != expected->dtype ||
        !std::is_permutation(actual.axes.begin(), actual.axes.end(), expected->axes.begin(),
                             expected->axes.end()))
      if (actual.kind != Type::Kind::token || expected->kind != Type::Kind::token)
        refuse(&op, "has type " + print_type(kernel_, actual) + ", its operands give " +
                        print_type(kernel_, *expected));
  }

  void loop(const Operation& op) {
    const bool blocks = op.op == Op::for_blocks;
    if (op.regions.size() != (blocks ? 2u : 1u)) refuse(&op, "has the wrong number of regions");
    const std::size_t fixed = blocks ? 0 : 1;
    const Region& body = *op.regions.back();
    if (op.operands.size() < fixed) refuse(&op, "has no count");
    if (fixed && kernel_.type(op.operands[0]) != i32_scalar())
      refuse(&op, "its count is not an i32 scalar");
    const std::size_t carried = op.operands.size() - fixed;
    if (body.arguments.size() != carried + 1 || op.results.size() != carried)
      refuse(&op, "carries " + std::to_string(carried) + " values in, " +
                      std::to_string(body.arguments.size()) + " region arguments, " +
                      std::to_string(op.results.size()) + " results");
    if (blocks) {
      if (op.axis < 0 || static_cast<std::size_t>(op.axis) >= kernel_.axes.size() ||
          kernel_.axes[static_cast<std::size_t>(op.axis)].kind != Axis::Kind::loop)
        refuse(&op, "does not run over a loop axis");
      if (kernel_.axes[static_cast<std::size_t>(op.axis)].block != body.arguments[0])
        refuse(&op, "its first region argument is not the axis's block number");
      if (op.follows_list()) list(op);
    }
    const std::size_t mark = scope_.size();
    define(body.arguments[0], &op);
    if (kernel_.type(body.arguments[0]) != i32_scalar())
      refuse(&op, "its counter is not an i32 scalar");
    if (blocks) mask(op, *op.regions[0]);
    for (std::size_t i = 0; i < carried; ++i) {
      define(body.arguments[i + 1], &op);
      token_root_[body.arguments[i + 1]] = op.operands[i + fixed];
    }
    const Operation* yield = region(body, true);
    if (!yield) refuse(&op, "its body does not end in a yield");
    if (yield->operands.size() != carried)
      refuse(&op, "its body yields " + std::to_string(yield->operands.size()) + " values of " +
                      std::to_string(carried));
    for (std::size_t i = 0; i < carried; ++i) {
      const Type& type = kernel_.type(op.operands[i + fixed]);
      const ValueId argument = body.arguments[i + 1];
      if (kernel_.type(argument) != type || kernel_.type(yield->operands[i]) != type ||
          !exists(op.results[i]) || kernel_.type(op.results[i]) != type)
        refuse(&op, "the carried value " + print_value(kernel_, argument) +
                        " changes its type on the way");
      if (waited_.contains(argument)) waited_.insert(yield->operands[i]);
      token_root_[op.results[i]] = yield->operands[i];
    }
    leave(mark);
  }

  void list(const Operation& op) const {
    const Argument* tensor = kernel_.find_argument(op.name);
    if (tensor == nullptr || tensor->kind != Argument::Kind::in || tensor->dtype != DType::i32 ||
        tensor->dims.size() != 1)
      refuse(&op, "its list '" + op.name + "' is not an i32 input of one dimension");
    if (op.indices.size() != 2) refuse(&op, "does not say which entries of its list it follows");
    for (const Index& index : op.indices)
      if (index.kind != IndexSpec::Kind::scalar || kernel_.type(index.value) != i32_scalar())
        refuse(&op, "an end of its list is not an i32 scalar");
    const Axis& axis = kernel_.axes[static_cast<std::size_t>(op.axis)];
    if (axis.requested_tile < 1 || (axis.tile > 0 && axis.tile != axis.requested_tile))
      refuse(&op, "has tiles of " + std::to_string(axis.tile) + ", its list of " +
                      std::to_string(axis.requested_tile));
  }

  void branch(const Operation& op) {
    if (op.regions.size() != 1 || !op.regions[0]->arguments.empty())
      refuse(&op, "has not one region without arguments");
    Type condition;
    condition.dtype = DType::b1;
    if (op.operands.empty() || kernel_.type(op.operands[0]) != condition)
      refuse(&op, "its condition is not a b1 scalar");
    const std::size_t mark = scope_.size();
    const Operation* yield = region(*op.regions[0], true);
    const std::size_t merged = op.operands.size() - 1;
    if (!yield || yield->operands.size() != merged || op.results.size() != merged)
      refuse(&op, "merges " + std::to_string(merged) + " values into " +
                      std::to_string(op.results.size()));
    for (std::size_t i = 0; i < merged; ++i)
      if (kernel_.type(op.operands[i + 1]) != kernel_.type(yield->operands[i]) ||
          kernel_.type(op.operands[i + 1]) != kernel_.type(op.results[i]))
        refuse(&op, "the merged value " + print_value(kernel_, op.results[i]) +
                        " has another type on one side");
    leave(mark);
  }

  void mask(const Operation& loop, const Region& mask) {
    if (!mask.arguments.empty()) refuse(&loop, "its mask region has arguments");
    if (mask.operations.empty()) return;
    const std::size_t mark = scope_.size();
    const Operation* yield = region(mask, true);
    if (!yield || yield->operands.size() != 1 ||
        kernel_.type(yield->operands[0]).dtype != DType::b1 ||
        kernel_.type(yield->operands[0]).kind != Type::Kind::tile)
      refuse(&loop, "its mask region does not yield one b1 tile");
    for (const auto& op : mask.operations)
      for (const Effect& effect : op->effects())
        if (effect.kind != Effect::Kind::read) refuse(op.get(), "has an effect in a mask");
    leave(mark);
  }

  void find_copied_buffers(const Region& region) {
    for (const auto& op : region.operations) {
      if (op->op == Op::copy_async && !op->operands.empty()) copied_.insert(op->operands[0]);
      for (const auto& nested : op->regions) find_copied_buffers(*nested);
    }
  }

  /// A buffer that copies fill may be read only after a wait on one of its tokens; every token
  /// reaches a wait, if need be through the arguments of a loop.
  void check_copies(const Operation& op) {
    if (op.op == Op::copy_async) pending_[op.results[0]] = &op;
    if (op.op == Op::wait) {
      for (ValueId token : op.operands)
        for (;;) {
          waited_.insert(token);
          const auto root = token_root_.find(token);
          if (root == token_root_.end()) break;
          token = root->second;
        }
      for (const auto& [token, copy] : pending_)
        if (waited_.contains(token)) ready_.insert(copy->operands[0]);
    }
    if (op.op == Op::operand_load && copied_.contains(op.operands[0]) &&
        !ready_.contains(op.operands[0]))
      refuse(&op,
             "reads " + print_value(kernel_, op.operands[0]) + " before any wait for its copies");
  }

  /// What has a value in cut tiles alone is read in them alone. `tiles`: in a loop over tiles.
  void check_sunk(const Region& region, const std::vector<int>& uses, bool tiles) const {
    for (const auto& op : region.operations) {
      for (const auto& inner : op->regions)
        check_sunk(*inner, uses, op->op == Op::for_blocks ? inner == op->regions.back() : tiles);
      if (!op->sunk) continue;
      if (!tiles || !may_sink(kernel_, *op)) refuse(op.get(), "is sunk and may not be");
      int reads = 0;
      for (const auto& reader : region.operations)
        reads += reads_in_cut_tiles(kernel_, *reader, op->results[0]);
      if (reads != uses[static_cast<std::size_t>(op->results[0])])
        refuse(op.get(), "has a value in cut tiles alone and is read elsewhere");
    }
  }

  const Kernel& kernel_;
  std::string after_;
  std::vector<bool> defined_, visible_;
  std::vector<ValueId> scope_;
  std::map<ValueId, const Operation*> pending_;  ///< tokens of copies, in order of definition
  std::map<ValueId, ValueId> token_root_;        ///< carried value: what it starts from
  std::set<ValueId> waited_, copied_, ready_;
};

void check_names(const Kernel& kernel, const Region& region, const std::vector<int>& uses,
                 std::string_view after) {
  for (const auto& op : region.operations) {
    for (const ValueId result : op->results) {
      const Value& value = kernel.values[static_cast<std::size_t>(result)];
      const bool tile = value.type.kind == Type::Kind::tile && !value.type.axes.empty();
      std::string wrong;
      if (tile && value.name.empty() && uses[static_cast<std::size_t>(result)] > 1 &&
          info(op->op).kind != OpKind::leaf)
        wrong = "is a tile used twice and has no name";
      else if (tile && !value.name.empty() && to_string(value.where).empty())
        wrong = "has a name and no source line";
      if (!wrong.empty())
        throw Error(errors::ir["kernel-inconsistent"],
                    "after " + std::string(after) + ": " + print_value(kernel, result) + " = " +
                        std::string(info(op->op).name) + ": " + wrong + " [internal defect]",
                    {value.name, "", "", to_string(op->where)});
    }
    for (const auto& nested : op->regions) check_names(kernel, *nested, uses, after);
  }
}

}  // namespace

void verify(const Kernel& kernel, std::string_view after_pass) {
  Verifier(kernel, after_pass).all();
}

void verify_names(const Kernel& kernel, std::string_view after_pass) {
  check_names(kernel, kernel.body, use_counts(kernel), after_pass);
}

}  // namespace tilewright::ir
