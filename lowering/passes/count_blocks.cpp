// Classes and counts of tiles from the closed forms (analyze_masks.hpp): per program of the grid a
// few intervals are evaluated and their union measured, so the work is one step per block of rows,
// and one per tile only where an interval has a condition.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "ir/domain_evaluator.hpp"
#include "ir/flattened.hpp"
#include "passes/analyze_masks.hpp"
#include "passes/errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright::passes {

namespace {

using Symbol = std::function<std::int64_t(const std::string&)>;

/// One dimension of the grid: how many programs, and the names it decides.
struct GridDimension {
  ValueId id = no_value;
  std::string dim;
  std::int64_t programs = 1;
  std::int64_t extent = 0;
  int tile = 0;  ///< 0: one program per index
  std::string first, last, value;
};

/// A name of a domain that a dimension of the grid decides.
struct Place {
  enum Of { value, first, last };
  std::size_t slot, dimension;
  Of of;
};

/// The grid of one loop's kernel, and its domain evaluated for one program after the other.
class GridWalk {
 public:
  /// `values` may be null: then `symbol` gives those too.
  GridWalk(const ir::Kernel& kernel, const ir::Operation& loop, const Symbol& symbol,
           ir::ProgramValues* values)
      : kernel_(kernel), symbol_(symbol), values_(values), domain_(domain_of(loop)) {
    const ir::Axis& axis = kernel.axes[static_cast<std::size_t>(loop.axis)];
    tiles_ = tiles_in(extent(axis.dim), axis.tile, axis.dim);
    for (const auto& operation : kernel.body.operations)
      if (operation->op == Op::each || operation->op == Op::block) add(*operation);
    for (const std::string& name : domain_.names()) {
      numbers_.push_back(0);
      if (place(name)) continue;
      if (values_ != nullptr && name.starts_with("value("))
        computed_.emplace_back(numbers_.size() - 1, value_of(name));
      else
        numbers_.back() =
            name.starts_with("extent(") ? extent(name.substr(7, name.size() - 8)) : symbol_(name);
    }
    std::vector<ValueId> asked;
    for (const auto& [slot, value] : computed_) asked.push_back(value);
    origins_ = ir::origins_of(kernel, asked);
  }

  std::int64_t tiles() const { return tiles_; }
  const std::vector<GridDimension>& grid() const { return grid_; }

  /// Whether the programs along a dimension differ in their tiles.
  bool matters(const GridDimension& dimension) const {
    if (origins_.grid.contains(dimension.id)) return true;
    return std::any_of(places_.begin(), places_.end(),
                       [&](const Place& place) { return &grid_[place.dimension] == &dimension; });
  }

  /// Turns to the program with these numbers, one per dimension of the grid.
  void start(const std::vector<std::int64_t>& program) {
    for (const Place& place : places_) {
      const GridDimension& dimension = grid_[place.dimension];
      const std::int64_t number = program[place.dimension];
      numbers_[place.slot] = place.of == Place::value ? number
                             : place.of == Place::first
                                 ? number * dimension.tile
                                 : std::min((number + 1) * dimension.tile, dimension.extent) - 1;
    }
    if (computed_.empty()) return;
    std::map<ValueId, std::int64_t> numbers;
    for (std::size_t j = 0; j < grid_.size(); ++j) numbers[grid_[j].id] = program[j];
    values_->start(numbers);
    for (const auto& [slot, value] : computed_) numbers_[slot] = (*values_)(value);
  }
  BlockCounts counts() { return domain_.counts(tiles_, numbers_); }
  std::vector<ir::TileClass> classes() { return domain_.classes(tiles_, numbers_); }

 private:
  static const ir::Domain& domain_of(const ir::Operation& loop) {
    if (!loop.domain)
      throw Error(errors::passes["blocks-not-countable"],
                  "count_blocks: the loop has no domain yet",
                  {"domain", "", "a kernel after analyze_masks", to_string(loop.where)});
    if (loop.domain->listed)
      throw Error(
          errors::passes["blocks-not-countable"],
          "count_blocks: what the loop visits is in its list",
          {"domain", loop.name, "a loop whose mask says what it visits", to_string(loop.where)});
    return *loop.domain;
  }

  static ValueId value_of(const std::string& name) {
    return static_cast<ValueId>(std::stol(name.substr(6)));
  }

  std::int64_t extent(const std::string& dim) const {
    return ir::extent_by_parts(dim, [&](const std::string& part) {
      const auto bound = kernel_.bound.find(part);
      return bound == kernel_.bound.end() ? symbol_("extent(" + part + ")") : bound->second;
    });
  }

  static std::int64_t tiles_in(std::int64_t elements, std::int64_t tile, const std::string& dim) {
    if (tile <= 0)
      throw Error(errors::passes["blocks-not-countable"],
                  "count_blocks: dimension '" + dim + "' has no tile",
                  {dim, std::to_string(tile), "a chosen tile", ""});
    return (elements + tile - 1) / tile;
  }

  void add(const ir::Operation& operation) {
    GridDimension dimension;
    dimension.id = operation.results[0];
    dimension.dim = operation.name;
    dimension.extent = extent(operation.name);
    dimension.value = "value(" + std::to_string(dimension.id) + ")";
    dimension.programs = dimension.extent;
    if (operation.op == Op::block)
      for (const ir::Axis& row : kernel_.axes)
        if (row.block == dimension.id && row.follows < 0) {
          dimension.tile = row.tile;
          dimension.programs = tiles_in(dimension.extent, row.tile, row.dim);
          dimension.first = "first(" + row.dim + ")";
          dimension.last = "last(" + row.dim + ")";
        }
    grid_.push_back(std::move(dimension));
  }

  /// Whether the name that was numbered last is one of the grid's; then it is noted.
  bool place(const std::string& name) {
    for (std::size_t i = 0; i < grid_.size(); ++i) {
      const GridDimension& own = grid_[i];
      if (name != own.value && name != own.first && name != own.last) continue;
      places_.push_back({numbers_.size() - 1, i,
                         name == own.value   ? Place::value
                         : name == own.first ? Place::first
                                             : Place::last});
      return true;
    }
    return false;
  }

  const ir::Kernel& kernel_;
  const Symbol& symbol_;
  ir::ProgramValues* values_;
  ir::DomainEvaluator domain_;
  std::vector<GridDimension> grid_;
  std::int64_t tiles_ = 0;
  std::vector<std::int64_t> numbers_;                      ///< by the domain's names
  std::vector<std::pair<std::size_t, ValueId>> computed_;  ///< which of them, from which value
  std::vector<Place> places_;
  ir::Origins origins_;
};

/// Visits the programs that may differ: of dimensions that do not matter, the first.
BlockCounts sum_over(GridWalk& walk) {
  std::int64_t repeats = 1, programs = 1;
  std::vector<bool> matters;
  for (const GridDimension& dimension : walk.grid()) {
    matters.push_back(walk.matters(dimension));
    (matters.back() ? programs : repeats) *= dimension.programs;
  }
  BlockCounts sum;
  std::vector<std::int64_t> numbers(walk.grid().size(), 0);
  for (std::int64_t program = 0; program < programs && repeats > 0; ++program) {
    std::int64_t rest = program;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (!matters[i]) continue;
      numbers[i] = rest % walk.grid()[i].programs;
      rest /= walk.grid()[i].programs;
    }
    walk.start(numbers);
    const BlockCounts one = walk.counts();
    sum.skipped += one.skipped;
    sum.full += one.full;
    sum.cut += one.cut;
  }
  return {sum.skipped * repeats, sum.full * repeats, sum.cut * repeats};
}

/// extent(x) and scalar(s) as a launch gives them.
Symbol symbols_of(const ir::Inputs& inputs) {
  return [&inputs](const std::string& name) -> std::int64_t {
    const std::size_t open = name.find('(');
    const std::string of = name.substr(open + 1, name.size() - open - 2);
    if (name.starts_with("scalar("))
      if (const auto found = inputs.scalars.find(of); found != inputs.scalars.end())
        return static_cast<std::int64_t>(found->second);
    if (name.starts_with("extent("))
      if (const auto found = inputs.extents.find(of); found != inputs.extents.end())
        return found->second;
    throw Error(errors::passes["blocks-not-countable"],
                "count_blocks: " + name + " is not among what the launch gives",
                {of, "nothing", "its number", ""});
  };
}

}  // namespace

BlockCounts count_blocks(const ir::Kernel& kernel, const ir::Operation& loop,
                         const Symbol& symbol) {
  GridWalk walk(kernel, loop, symbol, nullptr);
  return sum_over(walk);
}

BlockCounts count_blocks(const ir::Kernel& kernel, const ir::Operation& loop, ir::Inputs& inputs) {
  ir::ProgramValues values(kernel, inputs);
  const Symbol symbol = symbols_of(inputs);
  GridWalk walk(kernel, loop, symbol, &values);
  return sum_over(walk);
}

std::set<std::string> arguments_of_domain(const ir::Kernel& kernel, const ir::Operation& loop) {
  if (!loop.domain) return {};
  std::set<std::string> arguments =
      ir::origins_of(kernel, ir::values_named(*loop.domain)).arguments;
  for (const std::string& name : ir::names_in(*loop.domain))
    if (name.starts_with("scalar(")) arguments.insert(name.substr(7, name.size() - 8));
  return arguments;
}

std::vector<ir::TileClass> tile_classes(const ir::Kernel& kernel, const ir::Operation& loop,
                                        ir::Inputs& inputs,
                                        const std::map<std::string, std::int64_t>& program) {
  ir::ProgramValues values(kernel, inputs);
  const Symbol symbol = symbols_of(inputs);
  GridWalk walk(kernel, loop, symbol, &values);
  std::vector<std::int64_t> numbers;
  std::optional<std::size_t> rows;
  for (const GridDimension& dimension : walk.grid()) {
    if (dimension.tile > 0) rows = numbers.size();
    const auto given = program.find(dimension.dim);
    numbers.push_back(given == program.end() ? 0 : given->second);
  }
  std::vector<ir::TileClass> all;
  const std::int64_t row_tiles = rows ? walk.grid()[*rows].programs : 1;
  for (std::int64_t row = 0; row < row_tiles; ++row) {
    if (rows) numbers[*rows] = row;
    walk.start(numbers);
    const auto classes = walk.classes();
    all.insert(all.end(), classes.begin(), classes.end());
  }
  return all;
}

}  // namespace tilewright::passes
