// Evaluates a domain for one program: which class each tile has. The intervals may overlap and
// touch; only their union counts. How they are derived: passes/analyze_masks.hpp.
#include "ir/domain.hpp"

#include <algorithm>
#include <numeric>

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
      for (const IntExpr* e :
           {&interval.first, &interval.last, &interval.condition, &interval.repeats})
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

DomainEvaluator::DomainEvaluator(const Domain& domain)
    : names_(names_in(domain)), width_(domain.width) {
  visited_ = flat(domain.visited);
  hidden_ = flat(domain.hidden);
}

std::vector<DomainEvaluator::Interval> DomainEvaluator::flat(
    const std::vector<TileInterval>& intervals) {
  std::vector<Interval> result;
  for (const TileInterval& interval : intervals) {
    result.push_back({flat(interval.first), flat(interval.last), {}, flat(interval.repeats)});
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
      if (!holds(interval, tile)) continue;
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

bool DomainEvaluator::holds(const Interval& interval, std::int64_t tile) {
  numbers_.back() = tile;
  return interval.condition.empty() || run(interval.condition) >= 0;
}

std::vector<DomainEvaluator::Active> DomainEvaluator::active(const std::vector<Interval>& intervals,
                                                             std::int64_t tiles) {
  std::vector<Active> result;
  for (const Interval& interval : intervals) {
    Active one{std::max<std::int64_t>(run(interval.first), 0),
               std::min(run(interval.last), tiles - 1), &interval, 0};
    if (one.first > one.last) continue;
    if (!interval.condition.empty() && width_ > 0)
      if (const std::int64_t elements = run(interval.repeats); elements > 0)
        one.period = elements / std::gcd(elements, width_);
    result.push_back(one);
  }
  return result;
}

void DomainEvaluator::count(std::int64_t first, std::int64_t last,
                            const std::vector<Active>& visited, const std::vector<Active>& hidden,
                            TileCounts& counts) {
  const std::int64_t length = last - first + 1;
  const auto everywhere = [&](const std::vector<Active>& all) {
    return std::any_of(all.begin(), all.end(), [&](const Active& one) {
      return one.first <= first && last <= one.last && one.interval->condition.empty();
    });
  };
  const bool all_visited = everywhere(visited), all_hidden = everywhere(hidden);
  // Those with a condition that matters, and how soon all of them are as at first.
  std::vector<const Interval*> shows, hides;
  std::int64_t period = 1;
  const auto ask = [&](const std::vector<Active>& all, std::vector<const Interval*>& asked) {
    for (const Active& one : all) {
      if (one.first > first || last > one.last) continue;
      asked.push_back(one.interval);
      period = one.period > 0 && period <= length ? std::lcm(period, one.period) : length;
    }
  };
  if (!all_visited) ask(visited, shows);
  if (!all_hidden) ask(hidden, hides);
  if (!all_visited && shows.empty()) return;
  period = std::min(period, length);
  const std::int64_t rest = length % period;
  std::int64_t seen = 0, cut = 0, seen_in_rest = 0, cut_in_rest = 0;
  for (std::int64_t i = 0; i < period; ++i) {
    const auto any = [&](const std::vector<const Interval*>& asked) {
      return std::any_of(asked.begin(), asked.end(),
                         [&](const Interval* one) { return holds(*one, first + i); });
    };
    if (i == rest) seen_in_rest = seen, cut_in_rest = cut;
    if (!all_visited && !any(shows)) continue;
    ++seen;
    cut += all_hidden || any(hides);
  }
  const std::int64_t times = length / period;
  counts.full += times * (seen - cut) + seen_in_rest - cut_in_rest;
  counts.cut += times * cut + cut_in_rest;
}

TileCounts DomainEvaluator::counts(std::int64_t tiles, const std::vector<std::int64_t>& numbers) {
  numbers_ = numbers;
  numbers_.push_back(0);
  const std::vector<Active> visited = active(visited_, tiles), hidden = active(hidden_, tiles);
  std::vector<std::int64_t> ends;
  for (const auto* all : {&visited, &hidden})
    for (const Active& one : *all) {
      ends.push_back(one.first);
      ends.push_back(one.last + 1);
    }
  std::sort(ends.begin(), ends.end());
  TileCounts counts;
  for (std::size_t i = 0; i + 1 < ends.size(); ++i)
    if (ends[i] < ends[i + 1]) count(ends[i], ends[i + 1] - 1, visited, hidden, counts);
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
