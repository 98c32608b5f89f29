// Evaluates a domain for one program: which class each tile has. The intervals may overlap and
// touch; only their union counts. How they are derived: passes/analyze_masks.hpp.
#include "ir/domain.hpp"

#include <algorithm>

namespace tilewright::ir {

namespace {

using Kind = IntExpr::Kind;

bool is_tile_number(const std::string& name) { return name.starts_with("block("); }

void collect(const IntExpr& e, std::vector<std::string>& names) {
  if (e.kind() == Kind::constant) return;
  if (e.kind() == Kind::symbol) {
    if (!is_tile_number(e.name()) && std::find(names.begin(), names.end(), e.name()) == names.end())
      names.push_back(e.name());
    return;
  }
  collect(e.left(), names);
  collect(e.right(), names);
}

}  // namespace

std::vector<std::string> names_in(const Domain& domain) {
  std::vector<std::string> names;
  for (const auto* intervals : {&domain.visited, &domain.hidden, &domain.hidden_in_loop})
    for (const TileInterval& interval : *intervals)
      for (const IntExpr* e : {&interval.first, &interval.last, &interval.condition})
        collect(*e, names);
  return names;
}

std::vector<int> values_named(const Domain& domain) {
  std::vector<int> values;
  for (const std::string& name : names_in(domain))
    if (name.starts_with("value(")) values.push_back(std::stoi(name.substr(6)));
  std::sort(values.begin(), values.end());
  return values;
}

DomainEvaluator::DomainEvaluator(const Domain& domain) : names_(names_in(domain)) {
  visited_ = flat(domain.visited);
  hidden_ = flat(domain.hidden);
}

std::vector<DomainEvaluator::Interval> DomainEvaluator::flat(
    const std::vector<TileInterval>& intervals) {
  std::vector<Interval> result;
  for (const TileInterval& interval : intervals) {
    result.push_back({flat(interval.first), flat(interval.last), {}});
    if (interval.has_condition())
      result.back().condition = flat(interval.condition);
    else if (interval.condition.constant() < 0)
      result.pop_back();
  }
  return result;
}

std::vector<DomainEvaluator::Step> DomainEvaluator::flat(const IntExpr& expression) {
  std::vector<Step> steps;
  append(expression, steps);
  return steps;
}

void DomainEvaluator::append(const IntExpr& e, std::vector<Step>& steps) {
  if (e.kind() == Kind::constant) {
    steps.push_back({Kind::constant, e.constant()});
    return;
  }
  if (e.kind() == Kind::symbol) {
    const auto found = std::find(names_.begin(), names_.end(), e.name());
    steps.push_back({Kind::symbol, found - names_.begin()});  // not there: the tile's own number
    return;
  }
  append(e.left(), steps);
  append(e.right(), steps);
  steps.push_back({e.kind(), 0});
}

std::int64_t DomainEvaluator::run(const std::vector<Step>& steps) {
  stack_.clear();
  for (const Step& step : steps) {
    if (step.kind == Kind::constant) {
      stack_.push_back(step.operand);
    } else if (step.kind == Kind::symbol) {
      stack_.push_back(numbers_[static_cast<std::size_t>(step.operand)]);
    } else {
      const std::int64_t right = stack_.back();
      stack_.pop_back();
      stack_.back() = IntExpr::apply(step.kind, stack_.back(), right);
    }
  }
  return stack_.back();
}

std::vector<DomainEvaluator::Stretch> DomainEvaluator::unite(const std::vector<Interval>& intervals,
                                                             std::int64_t tiles) {
  std::vector<Stretch> all;
  for (const Interval& interval : intervals) {
    const std::int64_t first = std::max<std::int64_t>(run(interval.first), 0);
    const std::int64_t last = std::min(run(interval.last), tiles - 1);
    if (first > last) continue;
    if (interval.condition.empty()) {
      all.emplace_back(first, last);
      continue;
    }
    for (std::int64_t tile = first; tile <= last; ++tile) {
      numbers_.back() = tile;
      if (run(interval.condition) < 0) continue;
      if (!all.empty() && all.back().second == tile - 1)
        all.back().second = tile;
      else
        all.emplace_back(tile, tile);
    }
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

namespace {

using Stretches = std::vector<std::pair<std::int64_t, std::int64_t>>;

std::int64_t length(const Stretches& stretches) {
  std::int64_t sum = 0;
  for (const auto& [first, last] : stretches) sum += last - first + 1;
  return sum;
}

std::int64_t common_length(const Stretches& a, const Stretches& b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const std::int64_t first = std::max(a[i].first, b[j].first);
    const std::int64_t last = std::min(a[i].second, b[j].second);
    sum += std::max<std::int64_t>(last - first + 1, 0);
    (a[i].second < b[j].second ? i : j) += 1;
  }
  return sum;
}

}  // namespace

TileCounts DomainEvaluator::counts(std::int64_t tiles, const std::vector<std::int64_t>& numbers) {
  numbers_ = numbers;
  numbers_.push_back(0);
  const Stretches visited = unite(visited_, tiles);
  const Stretches hidden = unite(hidden_, tiles);
  TileCounts counts;
  counts.cut = common_length(visited, hidden);
  counts.full = length(visited) - counts.cut;
  counts.skipped = std::max<std::int64_t>(tiles, 0) - counts.full - counts.cut;
  return counts;
}

std::vector<TileClass> DomainEvaluator::classes(std::int64_t tiles,
                                                const std::vector<std::int64_t>& numbers) {
  numbers_ = numbers;
  numbers_.push_back(0);
  std::vector<TileClass> classes(static_cast<std::size_t>(std::max<std::int64_t>(tiles, 0)),
                                 TileClass::skipped);
  for (const auto& [first, last] : unite(visited_, tiles))
    for (std::int64_t tile = first; tile <= last; ++tile)
      classes[static_cast<std::size_t>(tile)] = TileClass::full;
  for (const auto& [first, last] : unite(hidden_, tiles))
    for (std::int64_t tile = first; tile <= last; ++tile) {
      TileClass& own = classes[static_cast<std::size_t>(tile)];
      if (own == TileClass::full) own = TileClass::cut;
    }
  return classes;
}

std::vector<TileClass> classify(const Domain& domain, std::int64_t tiles,
                                const std::function<std::int64_t(const std::string&)>& symbol) {
  DomainEvaluator evaluator(domain);
  std::vector<std::int64_t> numbers;
  for (const std::string& name : evaluator.names()) numbers.push_back(symbol(name));
  return evaluator.classes(tiles, numbers);
}

}  // namespace tilewright::ir
