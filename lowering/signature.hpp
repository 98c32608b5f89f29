// What a plan is given, as numbers: every argument has a slot, every dimension too, and the steps
// of the plan speak of slots. Made once, when parts are joined, so that a launch looks up no name
// but the caller's. Arguments of one name are one slot; where two parts disagree on it, that is
// refused.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/ir.hpp"

namespace tilewright {

class Signature {
 public:
  struct Slot {
    std::string name;
    DType dtype{};
    std::vector<int> dims;  ///< numbers of dimensions, outermost first
    bool scalar = false, temporary = false;
    bool required = false;  ///< some step reads it
    bool written = false;
    bool packed = false;      ///< temporaries: rows without padding, for a copy
    int first = 0, last = 0;  ///< steps that touch it
  };
  struct Dimension {
    std::string name;
    std::int64_t bound = -1;  ///< extent it was compiled for; -1: none
  };

  /// Step number `step`, which messages call `who`, has this argument. Throws Error as Plan's
  /// constructor says.
  void add(const Argument& argument, int step, const std::string& who, bool packed = false);
  /// All arguments of a kernel, and the extents it was compiled for.
  void add(const ir::Kernel& kernel, int step, const std::string& who);
  void bind(const std::string& dim, std::int64_t extent, const std::string& who);

  const std::vector<Slot>& slots() const { return slots_; }
  const std::vector<Dimension>& dimensions() const { return dimensions_; }
  int slot(const std::string& name) const;       ///< -1: there is none
  int dimension(const std::string& name) const;  ///< -1: there is none
  const std::string& dimension_name(int number) const {
    return dimensions_[static_cast<std::size_t>(number)].name;
  }

  std::string title;  ///< "kernel 'add'" or "the plan of kernel 'a', kernel 'b'"
  /// A Temp that a step reads and none before it writes; empty: none.
  std::string unwritten, unwritten_reader;

 private:
  int dimension_for(const std::string& name);

  std::vector<Slot> slots_;
  std::vector<Dimension> dimensions_;
};

}  // namespace tilewright
