// What the emitter decides before it writes a line: which values become C variables and under which
// names, which are written into the expressions that use them, and which share a variable because
// one takes the other's place (a loop's accumulator).
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/ir.hpp"

namespace tilewright::emit {

class Plan {
 public:
  explicit Plan(const ir::Kernel& kernel);

  /// True when `value` is a variable of the text; false when it is written where it is used.
  bool is_variable(ValueId value) const {
    return !variable_[static_cast<std::size_t>(value)].empty();
  }
  const std::string& variable(ValueId value) const {
    return variable_[static_cast<std::size_t>(value)];
  }

  /// The value whose variable `value` overwrites element by element; no_value when it has its own.
  ValueId replaces(ValueId value) const { return replaces_[static_cast<std::size_t>(value)]; }

  const ir::Operation* definition(ValueId value) const {
    return definition_[static_cast<std::size_t>(value)];
  }
  /// Whether `value` is a loop's counter: the number of its tile, or of its round.
  bool counts(ValueId value) const { return counters_.contains(value); }
  int uses(ValueId value) const { return uses_[static_cast<std::size_t>(value)]; }
  /// Whether no operation outside `readers` reads `value`, nor what is written where it is used
  /// and reads it.
  bool read_by_none_but(const std::set<const ir::Operation*>& readers, ValueId value) const;

  /// The C name of an argument.
  const std::string& argument(const std::string& name) const { return argument_.at(name); }

  /// A name no value has yet, starting from `wish`.
  std::string fresh(const std::string& wish);

 private:
  void name_region(const ir::Region& region);
  void name_loop(const ir::Operation& loop);
  void share_masked(const ir::Region& region);
  void share_carried(const ir::Operation& loop);
  bool takes(ValueId now) const;
  bool written_in_place(const ir::Region& region, ValueId old, ValueId now) const;
  std::size_t last_reader(const ir::Region& region, ValueId value) const;
  bool inlined(const ir::Operation& operation) const;
  void find_addresses(const ir::Region& region);
  std::string wish_for(const ir::Operation& operation, ValueId value) const;

  const ir::Kernel& kernel_;
  std::vector<const ir::Operation*> definition_;
  std::vector<int> uses_;
  std::vector<std::vector<const ir::Operation*>> users_;
  std::vector<bool> address_;  ///< leads to nothing but addresses that are computed anew
  std::set<ValueId> counters_;
  std::vector<std::string> variable_;
  std::vector<ValueId> replaces_;
  std::map<std::string, std::string> argument_;
  std::set<std::string> taken_;
};

}  // namespace tilewright::emit
