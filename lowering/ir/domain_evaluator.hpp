// A domain made ready for many evaluations, one per program of a grid. The one idea: what only the
// launch decides is computed once, what the program's rows decide once per program, and what a
// condition says of the tiles once per phase of the rows.
//
// Equal parts of all expressions are one step. Tiles are looked at one by one only where an
// interval has a condition, and then those of one of its periods; where the condition is the same
// for rows a period further on (which is proved from its expression, not tried), the answer is kept
// for all blocks of rows at the same distance from a multiple of the period.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ir/domain.hpp"

namespace tilewright::ir {

class DomainEvaluator {
 public:
  explicit DomainEvaluator(const Domain& domain);
  /// What evaluations ask for, in the order of their numbers.
  const std::vector<std::string>& names() const { return names_; }
  TileCounts counts(std::int64_t tiles, const std::vector<std::int64_t>& numbers);
  /// [tiles]
  std::vector<TileClass> classes(std::int64_t tiles, const std::vector<std::int64_t>& numbers);

 private:
  using Stretch = std::pair<std::int64_t, std::int64_t>;  ///< first, last: both included
  enum class Level : std::uint8_t { launch, program, tile };
  /// slots_[result] = slots_[left] kind slots_[right]
  struct Step {
    IntExpr::Kind kind;
    int left, right, result;
  };
  struct Interval {
    int first, last, condition, repeats;  ///< slots; condition: -1 without one
    std::vector<Step> steps;              ///< of the condition: what changes from tile to tile
    std::int64_t period = 0;              ///< of the condition, in tiles; 0: none
    std::int64_t row_period = 0;          ///< of the condition, in rows; 0: none
  };
  /// An interval of the program at hand.
  struct Active {
    std::int64_t first, last;
    const Interval* interval;
  };
  /// Of one period of tiles, the tiles before each: visited ones, and cut ones among them.
  using Pattern = std::vector<std::pair<std::int32_t, std::int32_t>>;
  struct PatternKey {
    std::int64_t phase, rows;    ///< of the block of rows: its first row, and how many follow
    std::uint64_t shows, hides;  ///< the intervals whose conditions are asked
    bool operator==(const PatternKey&) const = default;
  };
  struct PatternHash {
    std::size_t operator()(const PatternKey& key) const;
  };

  std::vector<Interval> made_ready(const std::vector<TileInterval>& intervals);
  int slot_of(const IntExpr& expression);
  int new_slot(std::int64_t value, Level level);
  void run(const std::vector<Step>& steps);

  void start(const std::vector<std::int64_t>& numbers);
  void find_periods(Interval& interval);
  bool same_after(const Interval& interval, std::int64_t rows) const;

  bool holds(const Interval& interval, std::int64_t tile);
  bool any_holds(const std::vector<const Interval*>& asked, std::int64_t tile);
  static void activate(const std::vector<Interval>& intervals,
                       const std::vector<std::int64_t>& slots, std::int64_t tiles,
                       std::vector<Active>& active);
  /// Tiles first … last, in which the same intervals are active.
  void count(std::int64_t first, std::int64_t last, TileCounts& counts);
  void count_one_by_one(std::int64_t first, std::int64_t length, bool all_visited, bool all_hidden,
                        std::int64_t period, TileCounts& counts);
  const Pattern* pattern(std::int64_t period, std::int64_t row_period, bool all_visited,
                         bool all_hidden);
  /// Sorted, disjoint, inside 0 … tiles - 1.
  std::vector<Stretch> unite(const std::vector<Interval>& intervals, std::int64_t tiles);

  std::vector<std::string> names_;
  std::int64_t width_ = 0;
  std::vector<std::int64_t> slots_;  ///< numbers by name, the tile's, constants, results of steps
  std::vector<Level> levels_;        ///< of the slots
  std::vector<Step> steps_;          ///< all of them, in the order they run
  std::vector<Step> at_launch_, per_program_;
  std::map<std::int64_t, int> constants_;
  std::map<std::tuple<IntExpr::Kind, int, int>, int> known_steps_;
  std::vector<int> launch_names_, program_names_;
  std::vector<int> row_names_;  ///< of program_names_: "first(q)", "last(q)"
  std::vector<Interval> visited_, hidden_;
  bool started_ = false;

  // Of the program, or of the stretch of tiles, at hand; kept for their memory.
  std::vector<Active> shown_now_, hidden_now_;
  std::vector<std::int64_t> ends_;
  std::vector<const Interval*> shows_, hides_;

  std::unordered_map<PatternKey, Pattern, PatternHash> patterns_;
  std::size_t kept_ = 0;  ///< tiles in patterns_
};

}  // namespace tilewright::ir
