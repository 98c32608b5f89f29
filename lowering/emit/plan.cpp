#include "emit/plan.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "emit/prelude.hpp"
#include "ir/flattened.hpp"
#include "ir/row_addresses.hpp"

namespace tilewright::emit {
namespace {

using ir::Operation;
using ir::Region;

// Words of the language the text is written in that a program may well use as names.
constexpr std::array reserved = {
    "alignas", "asm", "auto", "bool", "break", "case", "char", "class", "const", "continue",
    "default", "delete", "do", "double", "else", "enum", "export", "extern", "false", "float",
    "for", "friend", "goto", "if", "inline", "int", "long", "namespace", "new", "nullptr",
    "operator", "or", "and", "not", "xor", "private", "public", "register", "return", "short",
    "signed", "sizeof", "static", "struct", "switch", "template", "this", "true", "try", "typedef",
    "union", "unsigned", "using", "virtual", "void", "volatile", "while", "min", "max",
    // names the emitter itself writes
    "row", "col", "warp", "lane", "shared", "cut", "program", "r", "j", "i", "step", "lhs", "rhs",
    "to", "stored", "threadIdx", "blockIdx", "body", "from", "left"};

void each_operation(const Region& region, const std::function<void(const Operation&)>& visit) {
  for (const auto& operation : region.operations) {
    visit(*operation);
    for (const auto& inner : operation->regions) each_operation(*inner, visit);
  }
}

bool is_loop(const Operation& operation) {
  return operation.op == Op::for_blocks || operation.op == Op::for_range;
}

}  // namespace

Plan::Plan(const ir::Kernel& kernel)
    : kernel_(kernel),
      definition_(kernel.values.size(), nullptr),
      uses_(kernel.values.size(), 0),
      users_(kernel.values.size()),
      address_(kernel.values.size(), false),
      variable_(kernel.values.size()),
      replaces_(kernel.values.size(), no_value) {
  for (const char* word : reserved) taken_.insert(word);
  for (const Argument& argument : kernel.arguments) argument_[argument.name] = fresh(argument.name);
  // Strides and extents are parameters too.
  for (const Argument& argument : kernel.arguments)
    for (const std::string& dim : argument.dims) {
      taken_.insert(argument_[argument.name] + "_" + dim);
      taken_.insert("extent_" + dim);
    }
  each_operation(kernel.body, [&](const Operation& operation) {
    for (ValueId result : operation.results)
      definition_[static_cast<std::size_t>(result)] = &operation;
    const auto use = [&](ValueId value) {
      if (value < 0) return;
      ++uses_[static_cast<std::size_t>(value)];
      users_[static_cast<std::size_t>(value)].push_back(&operation);
    };
    for (ValueId operand : operation.operands) use(operand);
    for (const auto& index : operation.indices) use(index.value);
    use(operation.sign_of);
  });
  find_addresses(kernel.body);
  name_region(kernel.body);
}

/// Users before what they use: a program in reverse.
void Plan::find_addresses(const Region& region) {
  for (auto it = region.operations.rbegin(); it != region.operations.rend(); ++it) {
    const Operation& operation = **it;
    for (auto inner = operation.regions.rbegin(); inner != operation.regions.rend(); ++inner)
      find_addresses(**inner);
    if (operation.results.size() != 1 || kernel_.type(operation.results[0]).axes.empty()) continue;
    const auto result = static_cast<std::size_t>(operation.results[0]);
    const bool pure = operation.op == Op::load || is_pointwise(operation.op);
    address_[result] =
        pure && !users_[result].empty() &&
        std::all_of(users_[result].begin(), users_[result].end(), [&](const Operation* user) {
          if (std::count(user->operands.begin(), user->operands.end(), operation.results[0]) == 0 &&
              ir::takes_row_addresses(kernel_, *user))
            return true;
          return user->results.size() == 1 && address_[static_cast<std::size_t>(user->results[0])];
        });
  }
}

std::string Plan::fresh(const std::string& wish) {
  const std::string start = wish.empty() ? "x" : ir::identifier_of(wish);
  std::string name = start;
  if (Prelude::defines(name)) name += "_";
  for (int number = 2; !taken_.insert(name).second; ++number)
    name = start + "_" + std::to_string(number);
  return name;
}

/// Written where it is used: numbers and coordinates always, arithmetic when it is used once by
/// something that runs over the same elements, conditions always (they cost no more than keeping
/// them).
bool Plan::inlined(const Operation& operation) const {
  if (operation.results.size() != 1) return false;
  const ValueId result = operation.results[0];
  const ir::Value& value = kernel_.values[static_cast<std::size_t>(result)];
  const auto kind = info(operation.op).kind;
  if (kind == OpKind::leaf) return operation.op != Op::each && operation.op != Op::block;
  if (operation.op == Op::operand_load || operation.op == Op::shared_alloc ||
      operation.op == Op::copy_async || operation.op == Op::convert_layout)
    return true;
  if (value.type.dtype == DType::b1 && kind == OpKind::pointwise) return true;
  if (address_[static_cast<std::size_t>(result)]) return true;
  // Cheaper to say again than to keep through a loop.
  if (value.name.empty() && ir::coordinate_of(
                                kernel_, [&](ValueId id) { return definition(id); }, result))
    return true;
  if (!value.name.empty() || uses_[static_cast<std::size_t>(result)] != 1) return false;
  const Operation& user = *users_[static_cast<std::size_t>(result)][0];
  if (operation.across_warps) return false;  // all threads of the block meet in it
  if (is_reduction(operation.op))
    return is_pointwise(user.op) && kernel_.type(user.results[0]).axes == value.type.axes;
  // A tile of indices stands in every address, and in the guard before it.
  const bool picks = !value.type.axes.empty() &&
                     std::any_of(user.indices.begin(), user.indices.end(),
                                 [&](const ir::Index& index) { return index.value == result; });
  if (picks) return false;
  if (kind == OpKind::pointwise && is_integer(value.type.dtype)) return true;
  const bool moves = operation.op == Op::take && operation.operands.size() == 2;
  if ((kind != OpKind::pointwise && !moves) || operation.cut_only || is_loop(user) ||
      user.op == Op::yield || user.op == Op::when)
    return false;
  if (user.op == Op::finish_reduce) return false;
  // Per row and not per element: once, in front.
  if (!user.results.empty() && is_pointwise(user.op) && !value.type.axes.empty() &&
      kernel_.type(user.results[0]).axes.size() > value.type.axes.size())
    return false;
  if (writes_memory(user.op) && value.type.axes.size() < 2) return true;
  return true;
}

bool Plan::read_by_none_but(const std::set<const Operation*>& readers, ValueId value) const {
  const auto& users = users_[static_cast<std::size_t>(value)];
  return std::all_of(users.begin(), users.end(), [&](const Operation* user) {
    if (readers.contains(user)) return true;
    return user->results.size() == 1 && user->regions.empty() && !is_variable(user->results[0]) &&
           read_by_none_but(readers, user->results[0]);
  });
}

std::string Plan::wish_for(const Operation& operation, ValueId value) const {
  const std::string& name = kernel_.values[static_cast<std::size_t>(value)].name;
  if (!name.empty()) return argument_.contains(name) ? name + "_tile" : name;
  // A number that picks an index of a tensor goes by the dimension it picks from.
  for (const Operation* user : users_[static_cast<std::size_t>(value)])
    for (std::size_t i = 0; i < user->indices.size(); ++i)
      if (user->indices[i].value == value && !user->follows_list())
        return kernel_.find_argument(user->name)->dims[i] + "_index";
  switch (operation.op) {
    case Op::each: return operation.name;
    case Op::block: return operation.name + "_block";
    case Op::load: return operation.name + "_tile";
    case Op::dot: return "product";
    case Op::reduce_max: return "top";
    case Op::reduce_sum: return "total";
    case Op::take: return "taken";
    case Op::reduce_argmax: return "place";
    default: return kernel_.type(value).axes.empty() ? "number" : "tile";
  }
}

void Plan::name_region(const Region& region) {
  for (const auto& operation : region.operations) {
    if (is_loop(*operation)) {
      name_loop(*operation);
      continue;
    }
    for (const auto& inner : operation->regions) name_region(*inner);
    if (operation->op == Op::yield || inlined(*operation)) continue;
    if (operation->op == Op::finish_reduce &&
        uses_[static_cast<std::size_t>(operation->operands[0])] == 1 &&
        is_variable(operation->operands[0])) {
      const auto result = static_cast<std::size_t>(operation->results[0]);
      replaces_[result] = operation->operands[0];
      variable_[result] = variable_[static_cast<std::size_t>(operation->operands[0])];
      continue;
    }
    for (ValueId result : operation->results)
      if (variable_[static_cast<std::size_t>(result)].empty())
        variable_[static_cast<std::size_t>(result)] = fresh(wish_for(*operation, result));
  }
  share_masked(region);
}

void Plan::name_loop(const Operation& loop) {
  const Region& body = *loop.regions.back();
  counters_.insert(body.arguments[0]);
  const ValueId counter = body.arguments[0];
  const std::string& counter_name = kernel_.values[static_cast<std::size_t>(counter)].name;
  const std::string dim = loop.op == Op::for_blocks
                              ? kernel_.axes[static_cast<std::size_t>(loop.axis)].dim + "_block"
                              : "step";
  variable_[static_cast<std::size_t>(counter)] = fresh(counter_name.empty() ? dim : counter_name);
  for (std::size_t k = 0; k < loop.results.size(); ++k) {
    const ValueId carried = body.arguments[k + 1], result = loop.results[k];
    std::string wish = kernel_.values[static_cast<std::size_t>(carried)].name;
    if (wish.empty()) wish = kernel_.values[static_cast<std::size_t>(result)].name;
    const std::string name = fresh(wish.empty() ? "carried" : wish);
    variable_[static_cast<std::size_t>(carried)] = variable_[static_cast<std::size_t>(result)] =
        name;
  }
  name_region(body);  // a mask is written where its copies stand
  share_carried(loop);
}

/// The position in `region` at which `value` is read last, following values that are written into
/// their users.
std::size_t Plan::last_reader(const Region& region, ValueId value) const {
  std::size_t last = 0;
  for (std::size_t i = 0; i < region.operations.size(); ++i) {
    const Operation& operation = *region.operations[i];
    bool reads = false;
    const auto look = [&](const Operation& inner) {
      reads |=
          std::find(inner.operands.begin(), inner.operands.end(), value) != inner.operands.end();
      for (const auto& index : inner.indices) reads |= index.value == value;
    };
    look(operation);
    for (const auto& inner : operation.regions) each_operation(*inner, look);
    if (!reads) continue;
    std::size_t position = i;
    if (operation.op != Op::yield && operation.results.size() == 1 &&
        !is_variable(operation.results[0]) && !writes_memory(operation.op))
      position = std::max(position, last_reader(region, operation.results[0]));
    last = std::max(last, position);
  }
  return last;
}

/// Whether what `now` is made of looks for elements of some tile elsewhere than at its own place.
bool Plan::takes(ValueId now) const {
  const Operation* made = definition_[static_cast<std::size_t>(now)];
  if (made == nullptr) return false;
  if (made->op == Op::take) return true;
  return is_pointwise(made->op) &&
         std::any_of(made->operands.begin(), made->operands.end(),
                     [&](ValueId operand) { return !is_variable(operand) && takes(operand); });
}

bool Plan::written_in_place(const Region& region, ValueId old, ValueId now) const {
  if (takes(now)) return false;
  if (kernel_.type(old).axes != kernel_.type(now).axes) {
    auto a = kernel_.type(old).axes, b = kernel_.type(now).axes;
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    if (a != b) return false;
  }
  std::size_t at = region.operations.size();
  for (std::size_t i = 0; i < region.operations.size(); ++i)
    for (ValueId result : region.operations[i]->results)
      if (result == now && region.operations[i]->regions.empty()) at = i;
  return at < region.operations.size() && last_reader(region, old) <= at;
}

/// where(visible, s, -inf) in cut tiles overwrites s, when nobody reads s afterwards.
void Plan::share_masked(const Region& region) {
  for (const auto& operation : region.operations) {
    if (!operation->cut_only || operation->op != Op::select) continue;
    const ValueId old = operation->operands[1], now = operation->results[0];
    if (!is_variable(old) || !written_in_place(region, old, now)) continue;
    const Operation* from = definition_[static_cast<std::size_t>(old)];
    if (from == nullptr) continue;  // a loop's variable keeps its own
    const auto is_from = [&](const auto& other) { return other.get() == from; };
    if (std::none_of(region.operations.begin(), region.operations.end(), is_from))
      continue;  // what follows this region still reads it
    replaces_[static_cast<std::size_t>(now)] = old;
    taken_.erase(variable_[static_cast<std::size_t>(now)]);
    variable_[static_cast<std::size_t>(now)] = variable_[static_cast<std::size_t>(old)];
  }
}

void Plan::share_carried(const Operation& loop) {
  const Region& body = *loop.regions.back();
  const Operation& yield = *body.operations.back();
  for (std::size_t k = 0; k < yield.operands.size(); ++k) {
    const ValueId old = body.arguments[k + 1], now = yield.operands[k];
    if (old == now || !is_variable(now) ||
        std::count(yield.operands.begin(), yield.operands.end(), now) != 1)
      continue;
    // A reduction starts its variable anew while it still reads the old one's elements.
    const Operation* made = definition_[static_cast<std::size_t>(now)];
    if (made != nullptr && is_reduction(made->op) &&
        (made->across_warps || kernel_.type(now).axes.empty()))
      continue;
    const ir::Value& value = kernel_.values[static_cast<std::size_t>(now)];
    const ir::Value& before = kernel_.values[static_cast<std::size_t>(old)];
    if (!value.name.empty() && value.name != before.name) continue;  // has a paragraph of its own
    if (!written_in_place(body, old, now)) continue;
    replaces_[static_cast<std::size_t>(now)] = old;
    taken_.erase(variable_[static_cast<std::size_t>(now)]);
    variable_[static_cast<std::size_t>(now)] = variable_[static_cast<std::size_t>(old)];
  }
}

}  // namespace tilewright::emit
