// Operations for integer expressions: what the analysis found out about a mask, as IR again. Used
// where a mask is written anew and where bounds need values in front of their loop.
#pragma once

#include <memory>
#include <vector>

#include "ir/ir.hpp"
#include "passes/mask_formula.hpp"

namespace tilewright::passes {

/// Appends operations to a list and gives their values. Indices are asked for once each.
class NumberWriter {
 public:
  using List = std::vector<std::unique_ptr<ir::Operation>>;
  NumberWriter(ir::Kernel& kernel, List& list, const Provenance& where)
      : kernel_(kernel), list_(list), where_(where) {}

  /// A pointwise operation over the axes of its operands.
  ValueId add(Op op, DType dtype, const std::vector<ValueId>& operands);
  ValueId constant(DType dtype, std::int64_t value);
  ValueId index(ir::AxisId axis);
  ValueId number(const ir::IntExpr& expression);
  ValueId number(const Linear& form) { return number(form.expression()); }
  /// x + form, and x / form * factor in the language's sense; nothing is written for 0 and 1.
  ValueId plus(ValueId x, const Linear& form);
  ValueId times(ValueId x, const Linear& form);
  ValueId divided(ValueId x, const Linear& form);
  /// The sum of a row's tables, index, quotients and constant, over `rows`.
  ValueId row_tile(const Affine& form, ir::AxisId rows);

  ValueId put(std::unique_ptr<ir::Operation> operation);
  const Provenance& where() const { return where_; }

 private:
  ValueId symbol(const std::string& name);

  ir::Kernel& kernel_;
  List& list_;
  const Provenance& where_;
};

}  // namespace tilewright::passes
