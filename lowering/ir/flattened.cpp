// See flattened.hpp.
#include "ir/flattened.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace tilewright::ir {

std::vector<std::string> parts_of(const std::string& dim) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= dim.size();) {
    const std::size_t end = std::min(dim.find(packing, at), dim.size());
    parts.push_back(dim.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::string identifier_of(std::string dim) {
  std::replace(dim.begin(), dim.end(), packing, '_');
  return dim;
}

std::int64_t extent_by_parts(const std::string& dim,
                             const std::function<std::int64_t(const std::string&)>& extent) {
  std::int64_t product = 1;
  for (const std::string& part : parts_of(dim)) product *= extent(part);
  return product;
}

IntExpr extent_expression(const std::string& dim) {
  IntExpr product = 1;
  for (const std::string& part : parts_of(dim))
    product = product * IntExpr::symbol("extent(" + part + ")");
  return product;
}

std::optional<int> bound_extent(const Kernel& kernel, const std::string& dim) {
  std::int64_t product = 1;
  for (const std::string& part : parts_of(dim)) {
    const auto bound = kernel.bound.find(part);
    if (bound == kernel.bound.end()) return std::nullopt;
    product *= bound->second;
  }
  return static_cast<int>(product);
}

namespace {

using Parts = std::vector<std::string>;

/// Whether `value` is the product of the extents of parts[first] … parts[last - 1].
bool is_extent_of(const Kernel& kernel, const DefinitionOf& definition, ValueId value,
                  const Parts& parts, std::size_t first, std::size_t last) {
  const Operation* made = definition(value);
  if (!made) return false;
  if (made->op == Op::extent) return last - first == 1 && made->name == parts[first];
  if (made->op == Op::constant) {
    double product = 1;
    for (std::size_t i = first; i < last; ++i) {
      const auto bound = kernel.bound.find(parts[i]);
      if (bound == kernel.bound.end()) return false;
      product *= bound->second;
    }
    return made->constant == product;
  }
  if (made->op != Op::mul) return false;
  for (std::size_t middle = first + 1; middle < last; ++middle)
    if (is_extent_of(kernel, definition, made->operands[0], parts, first, middle) &&
        is_extent_of(kernel, definition, made->operands[1], parts, middle, last))
      return true;
  return false;
}

}  // namespace

std::optional<Coordinate> coordinate_of(const Kernel& kernel, const DefinitionOf& definition,
                                        ValueId value) {
  const Operation* made = definition(value);
  const Operation* remainder = made && made->op == Op::mod ? made : nullptr;
  if (remainder) made = definition(made->operands[0]);
  const Operation* quotient = made && made->op == Op::div ? made : nullptr;
  if (quotient) made = definition(made->operands[0]);
  if (!made || made->op != Op::index) return std::nullopt;
  const Parts parts = parts_of(kernel.axes[static_cast<std::size_t>(made->axis)].dim);
  for (std::size_t i = 0; i < parts.size() && parts.size() > 1; ++i) {
    if ((remainder != nullptr) != (i > 0) || (quotient != nullptr) != (i + 1 < parts.size()))
      continue;
    if (remainder && !is_extent_of(kernel, definition, remainder->operands[1], parts, i, i + 1))
      continue;
    if (quotient &&
        !is_extent_of(kernel, definition, quotient->operands[1], parts, i + 1, parts.size()))
      continue;
    return Coordinate{made->axis, parts[i]};
  }
  return std::nullopt;
}

bool picks_each_once(const Kernel& kernel, const DefinitionOf& definition,
                     const Operation& access) {
  std::map<AxisId, std::set<std::string>> seen;
  for (const Index& index : access.indices) {
    if (index.kind != IndexSpec::Kind::gather) continue;
    const auto coordinate = coordinate_of(kernel, definition, index.value);
    if (!coordinate) return false;
    seen[coordinate->axis].insert(coordinate->part);
  }
  return std::all_of(seen.begin(), seen.end(), [&](const auto& entry) {
    return entry.second.size() ==
           parts_of(kernel.axes[static_cast<std::size_t>(entry.first)].dim).size();
  });
}

}  // namespace tilewright::ir
