// Writes the statements of the reference, one operation of the program at a time. Values become
// variables or parts of expressions as ReferencePlan decides; the Vars of a loop become variables
// that are assigned. reference.cpp puts the signature around it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "emit/identifiers.hpp"
#include "emit/kernel_text.hpp"
#include "emit/lines.hpp"
#include "emit/reference_plan.hpp"
#include "emit/spelling.hpp"
#include "ir/ir.hpp"

namespace tilewright::emit {

class ReferenceWriter {
 public:
  ReferenceWriter(const ir::Kernel& kernel, TileSizes tiles);

  /// The body of the reference. Call once, then ask for the rest.
  Lines program();
  const Signature& signature() const { return signature_; }
  const Calls& calls() const { return calls_; }
  bool uses_algorithm() const { return algorithm_; }

 private:
  struct Mask {
    ir::AxisId axis;               ///< of the loop
    std::string name;              ///< the variable that holds it
    std::vector<ir::AxisId> axes;  ///< that the variable has
  };
  /// What a loop's Var becomes: the value, and which of the loop's Vars its expression reads.
  struct Assignment {
    std::size_t slot;
    ValueId value;
    std::set<std::size_t> reads;
    bool reduces = false;   ///< it reads its own Var at other elements
    std::string text = {};  ///< the variable that holds it already
  };

  // reference_writer.cpp: statements
  void region(const ir::Region& region, Lines& lines);
  void operation(const ir::Operation& operation, Lines& lines);
  void variable(const ir::Operation& operation, Lines& lines);
  void store(const ir::Operation& operation, Lines& lines);
  std::string guard(ir::AxisId axis, const AxisSet& nest, const ir::Operation& operation) const;

  // reference_loops.cpp: loops and their Vars
  void for_blocks(const ir::Operation& loop, Lines& lines);
  Mask listed(const ir::Operation& loop, const std::optional<Mask>& mask, Lines& lines);
  void for_range(const ir::Operation& loop, Lines& lines);
  void when(const ir::Operation& branch, Lines& lines);
  void fill(const std::string& name, ValueId merged, ValueId from, bool declare, Lines& lines);
  void declare_carried(const ir::Operation& loop, std::size_t first, Lines& lines);
  void assign_carried(const ir::Operation& loop, Lines& lines);
  void assign(const ir::Operation& loop, const Assignment& assignment, Lines& lines);
  void find_reads(ValueId value, const ir::Operation& loop, Assignment& into, bool reduced) const;

  // reference_expression.cpp: expressions
  Spelled use(ValueId value, const AxisSet& nest, Lines& before);
  Spelled expression(const ir::Operation& operation, const AxisSet& nest, Lines& before);
  void reduce(const ir::Operation& operation, const std::string& name, const AxisSet& nest,
              Lines& before);
  struct Element {
    std::string text;
    std::vector<std::string> inside;  ///< conditions for it to lie in the tensor
  };
  Element element(const ir::Operation& operation, const AxisSet& nest, Lines& before);
  Spelled within_tile(ir::AxisId axis) const;
  bool surely_inside(ValueId index, const std::string& dim) const;
  bool non_negative(ValueId value) const;
  bool small(ValueId value) const;
  std::string extent(const std::string& dim) const;  ///< "n.m", or "n.m * n.g"

  // shared
  std::string loops_over(const std::vector<ir::AxisId>& axes) const;
  std::string loop_over(ir::AxisId axis) const;
  std::string length(ir::AxisId axis) const;
  std::string shape(const std::vector<ir::AxisId>& axes) const;
  std::string name_element(ValueId value) const;
  std::string element_of(const std::string& variable, const std::vector<ir::AxisId>& axes) const;
  std::string name_for(ValueId value, const std::string& otherwise);
  const ir::Value& info_of(ValueId value) const {
    return kernel_.values[static_cast<std::size_t>(value)];
  }

  const ir::Kernel& kernel_;
  TileSizes tiles_;
  ReferencePlan plan_;
  Signature signature_;
  Calls calls_;
  bool algorithm_ = false;
  std::map<ir::AxisId, std::string> index_of_;  ///< the variable that runs over an axis
  std::map<std::string, std::string> each_;     ///< the variable of an each-dimension
  std::map<ValueId, std::string> variable_;     ///< values that have one
  std::vector<Mask> masks_;                     ///< of the loops that are open
  mutable std::map<ValueId, bool> non_negative_, small_;
};

}  // namespace tilewright::emit
