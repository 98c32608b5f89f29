// Questions a test asks of a traced kernel: operations in order, names, types, lines.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ir/ir.hpp"
#include "ir/print.hpp"

class KernelView {
 public:
  explicit KernelView(const tilewright::ir::Kernel& kernel) : kernel_(kernel) {}

  std::vector<const tilewright::ir::Operation*> all(tilewright::Op op) const {
    std::vector<const tilewright::ir::Operation*> found;
    collect(kernel_.body, op, found);
    return found;
  }
  const tilewright::ir::Operation& only(tilewright::Op op) const {
    const auto found = all(op);
    REQUIRE(found.size() == 1);
    return *found[0];
  }
  const tilewright::ir::Axis& axis(tilewright::ir::AxisId id) const {
    return kernel_.axes.at(static_cast<std::size_t>(id));
  }

  /// The names of a region's operations, reductions as max_row and sum_row to keep lines short.
  std::string operations(const tilewright::ir::Region& region) const {
    std::string text;
    for (const auto& operation : region.operations) {
      std::string name(info(operation->op).name);
      if (name == "reduce_max") name = "max_row";
      if (name == "reduce_sum") name = "sum_row";
      text += (text.empty() ? "" : " ") + name;
    }
    return text;
  }
  std::string names(const std::vector<tilewright::ValueId>& values) const {
    std::string text;
    for (const auto value : values) text += (text.empty() ? "" : " ") + at(value).name;
    return text;
  }
  std::string types(const std::vector<tilewright::ValueId>& values) const {
    std::string text;
    for (const auto value : values)
      text += (text.empty() ? "" : " ") + tilewright::ir::print_type(kernel_, at(value).type);
    return text;
  }
  std::string type_of(const std::string& name) const {
    return tilewright::ir::print_type(kernel_, named(name).type);
  }
  /// Without the folder, which depends on where the tests are.
  std::string line_of(const std::string& name) const {
    std::string text = to_string(named(name).where);
    for (std::size_t slash; (slash = text.find("dsl/")) != std::string::npos;) text.erase(slash, 4);
    return text;
  }

 private:
  using Found = std::vector<const tilewright::ir::Operation*>;

  static void collect(const tilewright::ir::Region& region, tilewright::Op op, Found& found) {
    for (const auto& operation : region.operations) {
      if (operation->op == op) found.push_back(operation.get());
      for (const auto& inner : operation->regions) collect(*inner, op, found);
    }
  }
  const tilewright::ir::Value& at(tilewright::ValueId value) const {
    return kernel_.values.at(static_cast<std::size_t>(value));
  }
  const tilewright::ir::Value& named(const std::string& name) const {
    for (const auto& value : kernel_.values)
      if (value.name == name) return value;
    FAIL("no value is named " << name);
    return kernel_.values[0];
  }

  const tilewright::ir::Kernel& kernel_;
};
