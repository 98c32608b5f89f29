// Counts tiles by class from the closed forms (analyze_masks.hpp): per program a few intervals are
// evaluated and their union measured, so the work is one step per block of rows, not per tile.
#include <algorithm>
#include <map>
#include <set>

#include "ir/flattened.hpp"
#include "passes/analyze_masks.hpp"
#include "passes/errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright::passes {

namespace {

using Symbol = std::function<std::int64_t(const std::string&)>;
using Stretch = std::pair<std::int64_t, std::int64_t>;  ///< first, last: both included

/// Sorted, disjoint, inside 0 … tiles - 1.
std::vector<Stretch> unite(const std::vector<ir::TileInterval>& intervals, std::int64_t tiles,
                           const Symbol& symbol) {
  std::vector<Stretch> all;
  for (const ir::TileInterval& interval : intervals) {
    const std::int64_t first = std::max<std::int64_t>(interval.first.evaluate(symbol), 0);
    const std::int64_t last = std::min(interval.last.evaluate(symbol), tiles - 1);
    if (first <= last) all.emplace_back(first, last);
  }
  std::sort(all.begin(), all.end());
  std::vector<Stretch> united;
  for (const Stretch& stretch : all) {
    if (united.empty() || stretch.first > united.back().second + 1)
      united.push_back(stretch);
    else
      united.back().second = std::max(united.back().second, stretch.second);
  }
  return united;
}

std::int64_t length(const std::vector<Stretch>& stretches) {
  std::int64_t sum = 0;
  for (const auto& [first, last] : stretches) sum += last - first + 1;
  return sum;
}

std::int64_t common_length(const std::vector<Stretch>& a, const std::vector<Stretch>& b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const std::int64_t first = std::max(a[i].first, b[j].first);
    const std::int64_t last = std::min(a[i].second, b[j].second);
    sum += std::max<std::int64_t>(last - first + 1, 0);
    (a[i].second < b[j].second ? i : j) += 1;
  }
  return sum;
}

void collect_symbols(const ir::IntExpr& e, std::set<std::string>& names) {
  if (e.kind() == ir::IntExpr::Kind::symbol) names.insert(e.name());
  if (e.kind() == ir::IntExpr::Kind::symbol || e.is_constant()) return;
  collect_symbols(e.left(), names);
  collect_symbols(e.right(), names);
}

/// One dimension of the grid: how many programs, and the names it decides.
struct GridDimension {
  std::int64_t programs = 1;
  std::int64_t extent = 0;
  int tile = 0;  ///< 0: one program per index
  std::string first, last, value;
  bool matters = false;
};

}  // namespace

BlockCounts count_tiles(const ir::Domain& domain, std::int64_t tiles, const Symbol& symbol) {
  const auto visited = unite(domain.visited, tiles, symbol);
  const auto hidden = unite(domain.hidden, tiles, symbol);
  BlockCounts counts;
  counts.cut = common_length(visited, hidden);
  counts.full = length(visited) - counts.cut;
  counts.skipped = std::max<std::int64_t>(tiles, 0) - counts.full - counts.cut;
  return counts;
}

BlockCounts count_blocks(const ir::Kernel& kernel, const ir::Operation& loop,
                         const Symbol& symbol) {
  if (!loop.domain)
    throw Error(errors::passes["blocks-not-countable"], "count_blocks: the loop has no domain yet",
                {"domain", "", "a kernel after analyze_masks", to_string(loop.where)});
  if (loop.domain->listed)
    throw Error(
        errors::passes["blocks-not-countable"], "count_blocks: what the loop visits is in its list",
        {"domain", loop.name, "a loop whose mask says what it visits", to_string(loop.where)});
  const auto extent = [&](const std::string& dim) {
    return ir::extent_by_parts(dim, [&](const std::string& part) {
      const auto bound = kernel.bound.find(part);
      return bound == kernel.bound.end() ? symbol("extent(" + part + ")") : bound->second;
    });
  };
  const ir::Domain& domain = *loop.domain;
  std::set<std::string> names;
  for (const auto* intervals : {&domain.visited, &domain.hidden})
    for (const ir::TileInterval& interval : *intervals) {
      collect_symbols(interval.first, names);
      collect_symbols(interval.last, names);
    }
  const ir::Axis& axis = kernel.axes[static_cast<std::size_t>(loop.axis)];
  const auto tiles_in = [](std::int64_t elements, std::int64_t tile, const std::string& dim) {
    if (tile <= 0)
      throw Error(errors::passes["blocks-not-countable"],
                  "count_blocks: dimension '" + dim + "' has no tile",
                  {dim, std::to_string(tile), "a chosen tile", ""});
    return (elements + tile - 1) / tile;
  };
  const std::int64_t tiles = tiles_in(extent(axis.dim), axis.tile, axis.dim);

  std::vector<GridDimension> grid;
  std::int64_t repeats = 1;
  for (const auto& operation : kernel.body.operations) {
    if (operation->op != Op::each && operation->op != Op::block) continue;
    GridDimension dimension;
    dimension.extent = extent(operation->name);
    dimension.value = "value(" + std::to_string(operation->results[0]) + ")";
    dimension.programs = dimension.extent;
    if (operation->op == Op::block)
      for (const ir::Axis& row : kernel.axes)
        if (row.block == operation->results[0] && row.follows < 0) {
          dimension.tile = row.tile;
          dimension.programs = tiles_in(dimension.extent, row.tile, row.dim);
          dimension.first = "first(" + row.dim + ")";
          dimension.last = "last(" + row.dim + ")";
        }
    dimension.matters = names.contains(dimension.value) || names.contains(dimension.first) ||
                        names.contains(dimension.last);
    if (dimension.matters)
      grid.push_back(dimension);
    else
      repeats *= dimension.programs;
  }

  BlockCounts sum;
  std::int64_t programs = 1;
  for (const GridDimension& dimension : grid) programs *= dimension.programs;
  std::map<std::string, std::int64_t> known;
  for (std::int64_t program = 0; program < programs && repeats > 0; ++program) {
    std::int64_t rest = program;
    for (const GridDimension& dimension : grid) {
      const std::int64_t number = rest % dimension.programs;
      rest /= dimension.programs;
      known[dimension.value] = number;
      if (dimension.tile == 0) continue;
      known[dimension.first] = number * dimension.tile;
      known[dimension.last] = std::min((number + 1) * dimension.tile, dimension.extent) - 1;
    }
    const BlockCounts one = count_tiles(domain, tiles, [&](const std::string& name) {
      const auto found = known.find(name);
      if (found != known.end()) return found->second;
      if (name.starts_with("extent(")) return extent(name.substr(7, name.size() - 8));
      return symbol(name);
    });
    sum.skipped += one.skipped;
    sum.full += one.full;
    sum.cut += one.cut;
  }
  return {sum.skipped * repeats, sum.full * repeats, sum.cut * repeats};
}

}  // namespace tilewright::passes
