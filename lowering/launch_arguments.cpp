#include "launch_arguments.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "tilewright/error.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t largest_extent = std::numeric_limits<std::int32_t>::max();

std::string list(const std::vector<std::int64_t>& numbers) {
  std::string text = "[";
  for (std::size_t i = 0; i < numbers.size(); ++i)
    text += (i ? ", " : "") + std::to_string(numbers[i]);
  return text + "]";
}

}  // namespace

LaunchArguments::LaunchArguments(const ir::Kernel& kernel, const std::vector<Binding>& given)
    : kernel_(kernel) {
  for (const auto& [dim, extent] : kernel.bound) {
    extents_[dim] = extent;
    extent_from_[dim] = "the extents the kernel was compiled for";
  }
  for (const Binding& binding : given) {
    const Argument* argument = kernel.find_argument(binding.name);
    if (argument == nullptr) {
      std::string known;
      for (const Argument& one : kernel.arguments) known += (known.empty() ? "" : ", ") + one.name;
      throw Error(ErrorKind::invalid_argument,
                  "kernel '" + kernel.name + "' has no argument of that name",
                  {.argument = binding.name, .value = binding.name, .allowed = known});
    }
    const bool wants_number = argument->kind == Argument::Kind::scalar;
    if (wants_number != binding.is_number)
      throw Error(ErrorKind::invalid_argument,
                  "argument '" + binding.name + "' is a " + (wants_number ? "scalar" : "tensor"),
                  {.argument = binding.name,
                   .value = binding.is_number ? "a number" : "a tensor",
                   .allowed = wants_number ? "a number" : "a tensor"});
    const bool twice = wants_number ? !numbers_.emplace(binding.name, binding.number).second
                                    : tensors_.contains(binding.name);
    if (twice)
      throw Error(ErrorKind::invalid_argument, "argument '" + binding.name + "' is given twice",
                  {.argument = binding.name, .allowed = "once"});
    if (!wants_number) take_tensor(*argument, binding.tensor);
  }
  for (const Argument& argument : kernel.arguments) {
    const bool given_one = tensors_.contains(argument.name) || numbers_.contains(argument.name);
    if (given_one || argument.kind == Argument::Kind::out) continue;
    throw Error(ErrorKind::invalid_argument,
                "kernel '" + kernel.name + "' needs argument '" + argument.name + "'",
                {.argument = argument.name,
                 .value = "nothing",
                 .allowed = argument.kind == Argument::Kind::scalar ? "a number" : "a tensor"});
  }
  for (const Argument& argument : kernel.arguments)
    for (const std::string& dim : argument.dims)
      if (!extents_.contains(dim))
        throw Error(ErrorKind::invalid_argument,
                    "no argument says the extent of dimension '" + dim + "'",
                    {.argument = dim,
                     .allowed = "a tensor with that dimension, such as '" + argument.name + "'"});
  check_indices();
}

namespace {

/// The values a uniform integer takes over the grid, where that is known before the launch.
struct Range {
  std::int64_t low = 0, high = 0;
};

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/// Ranges of uniform integers by interval arithmetic; what it does not know stays unknown.
class Ranges {
 public:
  Ranges(const std::map<std::string, std::int64_t>& extents,
         const std::map<std::string, double>& numbers)
      : extents_(extents), numbers_(numbers) {}

  void add(const ir::Kernel& kernel, const ir::Operation& operation) {
    if (operation.results.size() != 1 || !kernel.type(operation.results[0]).axes.empty()) return;
    if (!is_integer(kernel.type(operation.results[0]).dtype)) return;
    const auto x = operation.operands.empty() ? std::nullopt : find(operation.operands[0]);
    const auto y = operation.operands.size() < 2 ? std::nullopt : find(operation.operands[1]);
    std::optional<Range> made;
    switch (operation.op) {
      case Op::constant: made = exactly(static_cast<std::int64_t>(operation.constant)); break;
      case Op::extent: made = exactly(extents_.at(operation.name)); break;
      case Op::scalar_argument:
        made = exactly(static_cast<std::int64_t>(numbers_.at(operation.name)));
        break;
      case Op::each: made = Range{0, extents_.at(operation.name) - 1}; break;
      case Op::add:
        if (x && y) made = Range{x->low + y->low, x->high + y->high};
        break;
      case Op::sub:
        if (x && y) made = Range{x->low - y->high, x->high - y->low};
        break;
      case Op::div:
        if (y && y->low <= 0 && y->high >= 0) refuse_zero(operation);
        if (x && y && y->low > 0)
          made = Range{std::min(floor_divide(x->low, y->low), floor_divide(x->low, y->high)),
                       std::max(floor_divide(x->high, y->low), floor_divide(x->high, y->high))};
        break;
      case Op::mod:
        if (y && y->low <= 0 && y->high >= 0) refuse_zero(operation);
        if (y && y->low > 0) made = Range{0, y->high - 1};
        break;
      default: break;
    }
    if (made) known_[operation.results[0]] = *made;
  }

  std::optional<Range> find(ValueId value) const {
    const auto found = known_.find(value);
    if (found == known_.end()) return std::nullopt;
    return found->second;
  }

 private:
  static Range exactly(std::int64_t value) { return {value, value}; }
  [[noreturn]] static void refuse_zero(const ir::Operation& operation) {
    throw Error(ErrorKind::invalid_argument, "the kernel would divide by 0 with these extents",
                {.argument = std::string(info(operation.op).name),
                 .value = "0",
                 .allowed = "a divisor of at least 1",
                 .where = to_string(operation.where)});
  }

  const std::map<std::string, std::int64_t>& extents_;
  const std::map<std::string, double>& numbers_;
  std::map<ValueId, Range> known_;
};

}  // namespace

void LaunchArguments::check_indices() const {
  for (const std::string& dim : kernel_.grid)
    if (extents_.at(dim) == 0) return;  // no program runs
  Ranges ranges(extents_, numbers_);
  const std::function<void(const ir::Region&)> visit = [&](const ir::Region& region) {
    for (const auto& operation : region.operations) {
      ranges.add(kernel_, *operation);
      for (std::size_t i = 0; i < operation->indices.size(); ++i) {
        const ir::Index& index = operation->indices[i];
        const auto range =
            index.kind == IndexSpec::Kind::scalar ? ranges.find(index.value) : std::nullopt;
        const std::string& dim = kernel_.find_argument(operation->name)->dims[i];
        if (!range || (range->low >= 0 && range->high < extents_.at(dim))) continue;
        if (tensors_.find(operation->name) == tensors_.end() || extents_.at(dim) == 0) continue;
        throw Error(ErrorKind::shape_mismatch,
                    "the index of '" + operation->name + "' along '" + dim + "' leaves the tensor",
                    {.argument = dim,
                     .value = std::to_string(range->low) + " to " + std::to_string(range->high),
                     .allowed = "0 to " + std::to_string(extents_.at(dim) - 1),
                     .where = to_string(operation->where)});
      }
      for (const auto& inner : operation->regions) visit(*inner);
    }
  };
  visit(kernel_.body);
}

void LaunchArguments::take_tensor(const Argument& argument, const TensorView& view) {
  const std::string& name = argument.name;
  if (view.dtype != argument.dtype)
    throw Error(ErrorKind::invalid_argument,
                "tensor '" + name + "' has another element type than the kernel",
                {.argument = name,
                 .value = std::string(tilewright::name(view.dtype)),
                 .allowed = std::string(tilewright::name(argument.dtype))});
  std::string dims;
  for (const std::string& dim : argument.dims) dims += (dims.empty() ? "" : ", ") + dim;
  if (view.extents.size() != argument.dims.size() || view.strides.size() != argument.dims.size())
    throw Error(ErrorKind::shape_mismatch,
                "tensor '" + name + "' has another number of dimensions than the kernel",
                {.argument = name, .value = list(view.extents), .allowed = "[" + dims + "]"});
  for (std::size_t i = 0; i < argument.dims.size(); ++i)
    if (view.extents[i] < 0 || view.extents[i] > largest_extent)
      throw Error(ErrorKind::unsupported,
                  "tensor '" + name + "': extent of '" + argument.dims[i] + "' is out of range",
                  {.argument = name,
                   .value = std::to_string(view.extents[i]),
                   .allowed = "0 to " + std::to_string(largest_extent)});
  bool empty = false;
  for (const std::int64_t extent : view.extents) empty |= extent == 0;
  for (std::size_t i = 0; i < argument.dims.size(); ++i) {
    const auto [known, fresh] = extents_.try_emplace(argument.dims[i], view.extents[i]);
    if (fresh) extent_from_[argument.dims[i]] = "'" + name + "'";
    if (known->second != view.extents[i])
      throw Error(
          ErrorKind::shape_mismatch,
          "dimension '" + argument.dims[i] + "' has extent " + std::to_string(view.extents[i]) +
              " in '" + name + "'",
          {.argument = name,
           .value = std::to_string(view.extents[i]),
           .allowed = std::to_string(known->second) + ", as in " + extent_from_[argument.dims[i]]});
  }
  if (!empty && view.data == 0)
    throw Error(ErrorKind::invalid_argument, "tensor '" + name + "' has a null address",
                {.argument = name, .value = "null", .allowed = "device memory"});
  if (view.data % static_cast<CUdeviceptr>(size_of(view.dtype)) != 0)
    throw Error(ErrorKind::invalid_argument,
                "tensor '" + name + "' does not start at an element boundary",
                {.argument = name,
                 .value = std::to_string(view.data),
                 .allowed = "a multiple of " + std::to_string(size_of(view.dtype)) + " bytes"});
  if (argument.kind != Argument::Kind::in && !empty) refuse_overlap(argument, view);
  tensors_[name] = &view;
}

/// No two elements of an output share an address. Sufficient and, for nested strides, necessary:
/// with the axes by growing stride, each must step past everything the smaller ones reach.
void LaunchArguments::refuse_overlap(const Argument& argument, const TensorView& view) const {
  std::vector<std::pair<std::int64_t, std::int64_t>> axes;  // |stride|, extent
  for (std::size_t i = 0; i < view.extents.size(); ++i)
    if (view.extents[i] > 1) axes.emplace_back(std::abs(view.strides[i]), view.extents[i]);
  std::sort(axes.begin(), axes.end());
  std::int64_t reach = 0;
  for (const auto& [stride, extent] : axes) {
    if (stride <= reach)
      throw Error(ErrorKind::invalid_argument,
                  "output '" + argument.name + "': its strides let elements overlap",
                  {.argument = argument.name,
                   .value = list(view.strides) + " for extents " + list(view.extents),
                   .allowed = "strides that give every element an address of its own"});
    reach += stride * (extent - 1);
  }
}

void LaunchArguments::require_positive(const ir::Kernel& scheduled) const {
  for (const auto& operation : scheduled.body.operations) {
    if (!operation->domain) continue;
    for (const std::string& symbol : operation->domain->positive) {
      const std::string of =
          symbol.substr(symbol.find('(') + 1, symbol.size() - symbol.find('(') - 2);
      std::optional<double> value;
      if (symbol.starts_with("scalar(")) value = numbers_.at(of);
      if (symbol.starts_with("extent(")) value = static_cast<double>(extents_.at(of));
      if (value && *value < 1)
        throw Error(ErrorKind::invalid_argument, "the mask divides by '" + of + "'",
                    {.argument = of,
                     .value = std::to_string(*value),
                     .allowed = "at least 1",
                     .where = to_string(operation->where)});
    }
  }
}

bool LaunchArguments::is_aligned(const emit::KernelText& text) const {
  for (const auto& required : text.aligned) {
    const auto found = tensors_.find(required.tensor);
    if (found == tensors_.end()) continue;  // an output nobody wants
    const TensorView& view = *found->second;
    const std::int64_t unit = 16 / size_of(view.dtype);
    if (view.data % 16 != 0) return false;
    for (std::size_t i = 0; i < view.strides.size(); ++i) {
      if (view.extents[i] <= 1) continue;
      if (static_cast<int>(i) == required.inner_axis ? view.strides[i] != 1
                                                     : view.strides[i] % unit != 0)
        return false;
    }
  }
  return true;
}

std::int64_t LaunchArguments::programs(const emit::KernelText& text) const {
  std::int64_t product = 1;
  for (const auto& factor : text.grid) {
    const std::int64_t count = (extents_.at(factor.dim) + factor.tile - 1) / factor.tile;
    if (count != 0 && product > largest_extent / count)
      throw Error(ErrorKind::unsupported, "the grid has more blocks than a launch can have",
                  {.argument = factor.dim,
                   .value = std::to_string(product) + " * " + std::to_string(count),
                   .allowed = "at most " + std::to_string(largest_extent)});
    product *= count;
  }
  return product;
}

void LaunchArguments::pack(const emit::KernelText& text, std::vector<std::uint64_t>& storage,
                           std::vector<void*>& parameters) const {
  storage.assign(text.parameters.size(), 0);
  parameters.resize(text.parameters.size());
  for (std::size_t i = 0; i < text.parameters.size(); ++i) {
    const emit::Parameter& parameter = text.parameters[i];
    parameters[i] = &storage[i];
    switch (parameter.kind) {
      case emit::Parameter::Kind::pointer:
      case emit::Parameter::Kind::stride: {
        const auto found = tensors_.find(parameter.name_of);
        if (found == tensors_.end()) break;  // stays null
        storage[i] = parameter.kind == emit::Parameter::Kind::pointer
                         ? found->second->data
                         : std::bit_cast<std::uint64_t>(
                               found->second->strides[static_cast<std::size_t>(parameter.axis)]);
        break;
      }
      case emit::Parameter::Kind::extent:
        storage[i] = static_cast<std::uint32_t>(extents_.at(parameter.name_of));
        break;
      case emit::Parameter::Kind::scalar: {
        const double number = numbers_.at(parameter.name_of);
        const bool floating = is_floating(kernel_.find_argument(parameter.name_of)->dtype);
        storage[i] = floating ? std::bit_cast<std::uint32_t>(static_cast<float>(number))
                              : static_cast<std::uint32_t>(static_cast<std::int32_t>(number));
        break;
      }
    }
  }
}

}  // namespace tilewright
