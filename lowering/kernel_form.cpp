// See kernel_form.hpp.
#include "kernel_form.hpp"

#include <bit>

#include "ir/flattened.hpp"

#include "plan_errors.hpp"
#include "program_errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright {

KernelForm::KernelForm(const Signature& signature, const Lowered& lowered)
    : signature_(signature),
      threads_(static_cast<unsigned>(lowered.text.threads)),
      shared_bytes_(static_cast<unsigned>(lowered.text.shared_bytes)) {
  const auto& slots = signature.slots();
  for (const auto& required : lowered.text.aligned) {
    const int slot = signature.slot(required.tensor);
    const std::int64_t bytes = size_of(slots[static_cast<std::size_t>(slot)].dtype);
    aligned_.push_back({slot, required.inner_axis, 16 / bytes});
  }
  const auto add = [&](const std::string& dim, int tile) {
    Factor factor{dim, {}, tile};
    for (const std::string& part : ir::parts_of(dim))
      factor.parts.push_back(signature.dimension(part));
    grid_.push_back(std::move(factor));
  };
  for (const auto& factor : lowered.text.grid) add(factor.dim, factor.tile);
  for (const ir::Axis& axis : lowered.scheduled.axes)
    if (axis.kind == ir::Axis::Kind::loop && ir::is_flattened(axis.dim)) add(axis.dim, 0);
  for (const emit::Parameter& one : lowered.text.parameters) {
    Parameter made;
    made.axis = one.axis;
    const bool dimension = one.kind == emit::Parameter::Kind::extent;
    made.from = dimension ? signature.dimension(one.name_of) : signature.slot(one.name_of);
    switch (one.kind) {
      case emit::Parameter::Kind::pointer: made.kind = Parameter::Kind::pointer; break;
      case emit::Parameter::Kind::stride: made.kind = Parameter::Kind::stride; break;
      case emit::Parameter::Kind::extent: made.kind = Parameter::Kind::extent; break;
      case emit::Parameter::Kind::scalar:
        made.kind = is_floating(slots[static_cast<std::size_t>(made.from)].dtype)
                        ? Parameter::Kind::real
                        : Parameter::Kind::integer;
        break;
    }
    parameters_.push_back(made);
  }
  find_positive(lowered.scheduled.body);
}

/// The symbols a loop's bounds divide by: "scalar(NAME)" or "extent(NAME)".
void KernelForm::find_positive(const ir::Region& region) {
  for (const auto& operation : region.operations) {
    for (const auto& inner : operation->regions) find_positive(*inner);
    if (!operation->domain) continue;
    for (const std::string& symbol : operation->domain->positive) {
      const std::size_t open = symbol.find('(');
      const std::string name = symbol.substr(open + 1, symbol.size() - open - 2);
      const bool scalar = symbol.starts_with("scalar(");
      if (!scalar && !symbol.starts_with("extent(")) continue;
      positive_.push_back({scalar, scalar ? signature_.slot(name) : signature_.dimension(name),
                           name, to_string(operation->where)});
    }
  }
}

bool KernelForm::suits(const LaunchArguments& given) const {
  for (const Aligned& one : aligned_) {
    const LaunchArguments::Value& tensor = given[one.slot];
    if (!tensor.given) continue;  // an output nobody wants
    if (tensor.data % 16 != 0) return false;
    const std::vector<int>& dims = signature_.slots()[static_cast<std::size_t>(one.slot)].dims;
    for (std::size_t i = 0; i < dims.size(); ++i) {
      if (given.extent(dims[i]) <= 1) continue;
      if (static_cast<int>(i) == one.inner_axis ? tensor.strides[i] != 1
                                                : tensor.strides[i] % one.unit != 0)
        return false;
    }
  }
  return true;
}

void KernelForm::require_positive(const LaunchArguments& given) const {
  for (const Positive& one : positive_) {
    const double value =
        one.scalar ? given[one.from].number : static_cast<double>(given.extent(one.from));
    if (value >= 1) continue;
    throw Error(errors::plan["mask-divides-by-scalar"], "the mask divides by '" + one.name + "'",
                {.argument = one.name,
                 .value = std::to_string(value),
                 .allowed = "at least 1",
                 .where = one.where});
  }
}

std::int64_t KernelForm::extent(const Factor& factor, const LaunchArguments& given) const {
  std::int64_t product = 1;
  for (const int part : factor.parts)
    if (given.extent(part) == 0) return 0;
  for (const int part : factor.parts) {
    if (product > largest_extent / given.extent(part))
      throw Error(
          errors::program["flattened-too-large"],
          "the flattened dimension '" + factor.dim + "' has more elements than 32 bits number",
          {.argument = factor.dim,
           .value = std::to_string(product) + " * " + std::to_string(given.extent(part)),
           .allowed = "at most " + std::to_string(largest_extent)});
    product *= given.extent(part);
  }
  return product;
}

std::int64_t KernelForm::programs(const LaunchArguments& given) const {
  std::int64_t product = 1;
  for (const Factor& factor : grid_)
    if (extent(factor, given) == 0 && factor.tile != 0) return 0;
  for (const Factor& factor : grid_) {
    if (factor.tile == 0) continue;
    const std::int64_t count = (extent(factor, given) + factor.tile - 1) / factor.tile;
    if (product > largest_extent / count)
      throw Error(errors::plan["grid-too-large"], "the grid has more blocks than a launch can have",
                  {.argument = factor.dim,
                   .value = std::to_string(product) + " * " + std::to_string(count),
                   .allowed = "at most " + std::to_string(largest_extent)});
    product *= count;
  }
  return product;
}

void KernelForm::pack(const LaunchArguments& given, std::uint64_t* storage,
                      void** parameters) const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& one = parameters_[i];
    storage[i] = 0;
    parameters[i] = &storage[i];
    switch (one.kind) {
      case Parameter::Kind::pointer: storage[i] = given[one.from].data; break;
      case Parameter::Kind::stride:
        if (const std::int64_t* strides = given[one.from].strides; strides != nullptr)
          storage[i] = std::bit_cast<std::uint64_t>(strides[one.axis]);
        break;
      case Parameter::Kind::extent:
        storage[i] = static_cast<std::uint32_t>(given.extent(one.from));
        break;
      case Parameter::Kind::real:
        storage[i] = std::bit_cast<std::uint32_t>(static_cast<float>(given[one.from].number));
        break;
      case Parameter::Kind::integer:
        storage[i] = static_cast<std::uint32_t>(static_cast<std::int32_t>(given[one.from].number));
        break;
    }
  }
}

}  // namespace tilewright
