// A gate that packs: whoever writes a program with rows of dimension "m" through it writes one
// whose rows are "h*r", and whose tensors have the axes h and r instead. It shares nothing with the
// typed language, which does the same for flatten(H, R).
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tilewright/dsl/gate.hpp"

namespace tilewright::test {

class PackedGate final : public Gate {
 public:
  explicit PackedGate(Gate& gate) : gate_(gate) {}

  void declare(const Argument& argument) override {
    Argument own = argument;
    own.dims.clear();
    for (const std::string& dim : argument.dims)
      if (dim == "m")
        for (const char* part : parts_of(argument.name)) own.dims.emplace_back(part);
      else
        own.dims.push_back(dim);
    gate_.declare(own);
  }

  ValueId value(const Node& node, const Provenance& where) override {
    Node own = node;
    for (std::string& dim : own.dims) dim = renamed(dim);
    if (node.op == Op::index || node.op == Op::iota || node.op == Op::extent)
      own.name = renamed(node.name);
    own.axis = renamed(node.axis);
    own.indices = unpacked(node.name, node.indices, where);
    return gate_.value(own, where);
  }
  void announce(const IndexSpec& index, const Provenance& where) override {
    IndexSpec own = index;
    own.of = renamed(own.of);
    gate_.announce(own, where);
  }
  ValueId concat(std::string_view dim, const std::vector<ConcatPart>& parts,
                 const Provenance& where) override {
    return gate_.concat(dim, parts, where);
  }
  void store(const std::string& tensor, const std::vector<IndexSpec>& indices, ValueId value,
             const Provenance& where) override {
    gate_.store(tensor, unpacked(tensor, indices, where), value, where);
  }
  void atomic_add(const std::string& tensor, const std::vector<IndexSpec>& indices, ValueId value,
                  const Provenance& where) override {
    gate_.atomic_add(tensor, unpacked(tensor, indices, where), value, where);
  }
  VariableId variable(std::string_view name, DType dtype, const std::vector<std::string>& dims,
                      ValueId init, const Provenance& where) override {
    std::vector<std::string> own;
    for (const std::string& dim : dims) own.push_back(renamed(dim));
    return gate_.variable(name, dtype, own, init, where);
  }
  ValueId open_blocks(std::string_view dim, const Provenance& where) override {
    return gate_.open_blocks(renamed(std::string(dim)), where);
  }
  ValueId grid_each(std::string_view dim, const Provenance& where) override {
    return gate_.grid_each(dim, where);
  }
  ValueId grid_blocks(std::string_view dim, int tile, const Provenance& where) override {
    return gate_.grid_blocks(renamed(std::string(dim)), tile, where);
  }

  void name(ValueId value, std::string_view name, const Provenance& where) override {
    gate_.name(value, name, where);
  }
  ValueId read(VariableId variable) override { return gate_.read(variable); }
  void assign(VariableId variable, ValueId value, const Provenance& where) override {
    gate_.assign(variable, value, where);
  }
  void follow(const TileList& list, const Provenance& where) override { gate_.follow(list, where); }
  void begin_body(ValueId mask) override { gate_.begin_body(mask); }
  ValueId open_range(ValueId count, const Provenance& where) override {
    return gate_.open_range(count, where);
  }
  void open_when(ValueId condition, const Provenance& where) override {
    gate_.open_when(condition, where);
  }
  void close() override { gate_.close(); }

 private:
  static std::string renamed(const std::string& dim) { return dim == "m" ? "h*r" : dim; }
  /// Half of the tensors have the fast part outside.
  static std::vector<const char*> parts_of(const std::string& tensor) {
    if (tensor.back() % 2 == 0) return {"h", "r"};
    return {"r", "h"};
  }

  /// One index of a tensor along m becomes one along each part.
  std::vector<IndexSpec> unpacked(const std::string& tensor, const std::vector<IndexSpec>& indices,
                                  const Provenance& where) {
    std::vector<IndexSpec> own;
    for (const IndexSpec& index : indices) {
      if (index.dim != "m") {
        own.push_back(index);
        continue;
      }
      Node rows{.op = Op::index, .dtype = DType::i32, .dims = {"h*r"}, .name = "h*r"};
      if (index.kind == IndexSpec::Kind::block)
        rows.indices = {{IndexSpec::Kind::block, "h*r", index.value}};
      const ValueId row = gate_.value(rows, where);
      const ValueId fast = gate_.value({.op = Op::extent, .dtype = DType::i32, .name = "r"}, where);
      for (const char* part : parts_of(tensor)) {
        const ValueId at = gate_.value({.op = *part == 'h' ? Op::div : Op::mod,
                                        .dtype = DType::i32,
                                        .dims = {"h*r"},
                                        .operands = {row, fast}},
                                       where);
        own.push_back({IndexSpec::Kind::gather, "", at});
      }
    }
    return own;
  }

  Gate& gate_;
};

}  // namespace tilewright::test
