// Which values of a program get a variable in the reference and which are written where they are
// used. The one idea: a value that is used once, or that costs nothing to write again, is part of a
// longer expression; a reduction joins the loop nest of the value it feeds when both run over the
// same axes. reference.cpp writes what this decides.
#pragma once

#include <set>
#include <vector>

#include "ir/ir.hpp"

namespace tilewright::emit {

using AxisSet = std::set<ir::AxisId>;

class ReferencePlan {
 public:
  explicit ReferencePlan(const ir::Kernel& kernel);

  /// The expression of `value` stands where it is used; otherwise it has a variable of its own.
  bool inlined(ValueId value) const { return inlined_[static_cast<std::size_t>(value)]; }
  /// The operation that makes `value`; null for arguments of regions.
  const ir::Operation* definition(ValueId value) const {
    return definition_[static_cast<std::size_t>(value)];
  }
  /// Uses that lead to a store or a loop; a value with none is never written.
  int uses(ValueId value) const { return uses_[static_cast<std::size_t>(value)]; }
  /// Grid axes that are loops around the whole program, one index at a time. A grid axis that
  /// something contracts is one block instead, like the axes of loops.
  bool is_row(ir::AxisId axis) const { return rows_.contains(axis); }
  /// The axes of `type` that are not rows, in its order: the shape of its variable.
  std::vector<ir::AxisId> free_axes(const ir::Type& type) const;

 private:
  struct Use {
    AxisSet nest;                      ///< the loops around the place where it is written
    const ir::Region* home = nullptr;  ///< the region of that place
    bool assigned = false;             ///< it is what a loop's Var becomes
  };
  void scan(const ir::Region& region);
  void decide(const ir::Region& region);
  void decide(const ir::Operation& operation, const ir::Region& region);
  void note_uses(const ir::Operation& operation, const ir::Region& region,
                 const ir::Operation* loop);
  bool decide_inline(const ir::Operation& operation, const ir::Region& region) const;
  int size(ValueId value, int budget) const;
  AxisSet free_set(ValueId value) const;

  const ir::Kernel& kernel_;
  AxisSet rows_;
  std::set<ValueId> taken_;  ///< what a take picks from
  std::vector<bool> inlined_;
  std::vector<const ir::Operation*> definition_;
  std::vector<int> uses_;
  std::vector<Use> use_;  ///< the last place seen, which is the only one where uses is 1
};

}  // namespace tilewright::emit
