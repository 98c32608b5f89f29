// What a kernel's own indices ask of a launch: none leaves its tensor, no divisor is 0.
//
// The one idea: the uniform integers of a program that decide this are found once, when the plan is
// made, as a short list of steps over extents and scalars; a launch walks the list with interval
// arithmetic. What the arithmetic does not know (an index loaded from memory) it lets pass.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/ir.hpp"
#include "launch_arguments.hpp"

namespace tilewright {

class LaunchChecks {
 public:
  LaunchChecks(const Signature& signature, const ir::Kernel& traced);

  /// Throws Error: shape_mismatch for an index that some program of the grid would take outside its
  /// tensor and for a block list made for tiles of another size, invalid_argument for a division by
  /// 0.
  void run(const LaunchArguments& given) const;

 private:
  struct Range {
    std::int64_t low = 0, high = 0;
    bool known = false;
  };
  /// Makes range number `made` from two others, an extent or a scalar.
  struct Rule {
    Op op{};
    int made = -1, x = -1, y = -1;
    int from = -1;  ///< dimension (extent, each) or slot (scalar)
    std::int64_t constant = 0;
    std::string where;
  };
  struct Bound {
    int range = -1, slot = -1, dimension = -1;
    std::size_t after = 0;  ///< rules that come before it in the program
    std::string where;
  };
  /// A list has a row for each tile of a dimension.
  struct ListRows {
    int dimension = -1;      ///< that numbers the rows
    std::vector<int> parts;  ///< of the dimension whose tiles they are
    int tile = 0;
    std::string list, rows, where;
  };
  class Finder;

  Range apply(const Rule& rule, const LaunchArguments& given,
              const std::vector<Range>& ranges) const;
  void check(const ListRows& list, const LaunchArguments& given) const;
  void check(const Bound& bound, const LaunchArguments& given, const Range& range) const;

  const Signature& signature_;
  std::vector<int> grid_;  ///< dimensions
  std::vector<Rule> rules_;
  std::vector<Bound> bounds_;
  std::vector<ListRows> lists_;
  std::size_t ranges_ = 0;
};

}  // namespace tilewright
