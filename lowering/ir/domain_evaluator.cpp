// See domain_evaluator.hpp.
#include "ir/domain_evaluator.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace tilewright::ir {

namespace {

using Kind = IntExpr::Kind;

constexpr std::size_t most_kept = 1 << 16;        ///< tiles of patterns: half a megabyte
constexpr std::int64_t short_period = 64;         ///< in tiles: worth keeping for any stretch
constexpr std::int64_t longest_period = 1 << 30;  ///< in tiles or rows

std::int64_t remainder(std::int64_t x, std::int64_t by) {
  const std::int64_t rest = x % by;
  return rest < 0 ? rest + by : rest;
}

/// 0 where it is too long to be of use.
std::int64_t common_period(std::int64_t a, std::int64_t b) {
  if (a == 0 || b == 0 || a > longest_period || b > longest_period) return 0;
  const std::int64_t both = std::lcm(a, b);
  return both > longest_period ? 0 : both;
}

/// By how much a number grows when the rows go on; nothing where that is not known.
using Shift = std::optional<std::int64_t>;

}  // namespace

DomainEvaluator::DomainEvaluator(const Domain& domain)
    : names_(names_in(domain)), width_(domain.width) {
  for (const std::string& name : names_) {
    const bool row = name.starts_with("first(") || name.starts_with("last(");
    const bool program = row || name.starts_with("value(");
    const int slot = new_slot(0, program ? Level::program : Level::launch);
    (program ? program_names_ : launch_names_).push_back(slot);
    if (row) row_names_.push_back(slot);
  }
  new_slot(0, Level::tile);
  visited_ = made_ready(domain.visited);
  hidden_ = made_ready(domain.hidden);
  for (const Step& step : steps_) {
    const Level level = levels_[static_cast<std::size_t>(step.result)];
    if (level == Level::launch) at_launch_.push_back(step);
    if (level == Level::program) per_program_.push_back(step);
  }
}

int DomainEvaluator::new_slot(std::int64_t value, Level level) {
  slots_.push_back(value);
  levels_.push_back(level);
  return static_cast<int>(slots_.size()) - 1;
}

int DomainEvaluator::slot_of(const IntExpr& e) {
  if (e.kind() == Kind::constant) {
    const auto known = constants_.find(e.constant());
    if (known != constants_.end()) return known->second;
    return constants_[e.constant()] = new_slot(e.constant(), Level::launch);
  }
  if (e.kind() == Kind::symbol)  // not there: the tile's own number
    return static_cast<int>(std::find(names_.begin(), names_.end(), e.name()) - names_.begin());
  const int left = slot_of(e.left()), right = slot_of(e.right());
  const auto key = std::make_tuple(e.kind(), left, right);
  if (const auto known = known_steps_.find(key); known != known_steps_.end()) return known->second;
  const int result = new_slot(0, std::max(levels_[static_cast<std::size_t>(left)],
                                          levels_[static_cast<std::size_t>(right)]));
  steps_.push_back({e.kind(), left, right, result});
  return known_steps_[key] = result;
}

std::vector<DomainEvaluator::Interval> DomainEvaluator::made_ready(
    const std::vector<TileInterval>& intervals) {
  std::vector<Interval> result;
  for (const TileInterval& interval : intervals) {
    if (!interval.has_condition() && interval.condition.constant() < 0) continue;
    Interval ready{slot_of(interval.first),
                   slot_of(interval.last),
                   interval.has_condition() ? slot_of(interval.condition) : -1,
                   slot_of(interval.repeats),
                   {}};
    if (ready.condition >= 0) {
      std::vector<bool> needed(slots_.size(), false);
      needed[static_cast<std::size_t>(ready.condition)] = true;
      for (std::size_t i = steps_.size(); i-- > 0;) {
        const Step& step = steps_[i];
        const auto at = static_cast<std::size_t>(step.result);
        if (!needed[at] || levels_[at] != Level::tile) continue;
        needed[static_cast<std::size_t>(step.left)] = true;
        needed[static_cast<std::size_t>(step.right)] = true;
        ready.steps.push_back(step);
      }
      std::reverse(ready.steps.begin(), ready.steps.end());
    }
    result.push_back(std::move(ready));
  }
  return result;
}

void DomainEvaluator::run(const std::vector<Step>& steps) {
  std::int64_t* slots = slots_.data();
  for (const Step& step : steps)
    slots[step.result] = IntExpr::apply(step.kind, slots[step.left], slots[step.right]);
}

void DomainEvaluator::start(const std::vector<std::int64_t>& numbers) {
  bool other_launch = !started_;
  for (const int name : launch_names_) {
    const auto at = static_cast<std::size_t>(name);
    other_launch = other_launch || slots_[at] != numbers[at];
    slots_[at] = numbers[at];
  }
  if (other_launch) {
    run(at_launch_);
    for (auto* intervals : {&visited_, &hidden_})
      for (Interval& interval : *intervals) find_periods(interval);
    patterns_.clear();
    kept_ = 0;
    started_ = true;
  }
  for (const int name : program_names_)
    slots_[static_cast<std::size_t>(name)] = numbers[static_cast<std::size_t>(name)];
  run(per_program_);
}

void DomainEvaluator::find_periods(Interval& interval) {
  interval.period = interval.row_period = 0;
  const auto repeats = static_cast<std::size_t>(interval.repeats);
  if (interval.condition < 0 || width_ <= 0 || levels_[repeats] != Level::launch) return;
  const std::int64_t elements = slots_[repeats];
  if (elements <= 0) return;
  interval.period = elements / std::gcd(elements, width_);
  if (same_after(interval, elements)) interval.row_period = elements;
}

/// Whether the condition is the same for rows so many further on. By how much each slot grows then
/// is known where it does not depend on the rows themselves.
bool DomainEvaluator::same_after(const Interval& interval, std::int64_t rows) const {
  std::vector<Shift> shifts(slots_.size(), 0);
  for (const int name : program_names_) shifts[static_cast<std::size_t>(name)] = std::nullopt;
  for (const int name : row_names_) shifts[static_cast<std::size_t>(name)] = rows;
  for (const Step& step : steps_) {
    const auto left = static_cast<std::size_t>(step.left);
    const auto right = static_cast<std::size_t>(step.right);
    const Shift a = shifts[left], b = shifts[right];
    Shift& own = shifts[static_cast<std::size_t>(step.result)];
    own.reset();
    if (!a || !b) continue;
    const std::int64_t by = levels_[right] == Level::launch ? slots_[right] : 0;
    switch (step.kind) {
      case Kind::add: own = *a + *b; break;
      case Kind::sub: own = *a - *b; break;
      case Kind::mul:
        if (levels_[right] == Level::launch)
          own = *a * by;
        else if (levels_[left] == Level::launch)
          own = *b * slots_[left];
        break;
      case Kind::floor_div:
      case Kind::mod:
        if (by != 0 && *a % by == 0) own = step.kind == Kind::mod ? 0 : *a / by;
        break;
      case Kind::minimum:
      case Kind::maximum:
        if (*a == *b) own = a;
        break;
      case Kind::constant:
      case Kind::symbol: break;
    }
    if (*a == 0 && *b == 0) own = 0;
  }
  return shifts[static_cast<std::size_t>(interval.condition)] == Shift(0);
}

bool DomainEvaluator::holds(const Interval& interval, std::int64_t tile) {
  if (interval.condition < 0) return true;
  slots_[names_.size()] = tile;
  run(interval.steps);
  return slots_[static_cast<std::size_t>(interval.condition)] >= 0;
}

bool DomainEvaluator::any_holds(const std::vector<const Interval*>& asked, std::int64_t tile) {
  return std::any_of(asked.begin(), asked.end(),
                     [&](const Interval* one) { return holds(*one, tile); });
}

void DomainEvaluator::activate(const std::vector<Interval>& intervals,
                               const std::vector<std::int64_t>& slots, std::int64_t tiles,
                               std::vector<Active>& active) {
  active.clear();
  for (const Interval& interval : intervals) {
    const Active one{std::max<std::int64_t>(slots[static_cast<std::size_t>(interval.first)], 0),
                     std::min(slots[static_cast<std::size_t>(interval.last)], tiles - 1),
                     &interval};
    if (one.first <= one.last) active.push_back(one);
  }
}

std::size_t DomainEvaluator::PatternHash::operator()(const PatternKey& key) const {
  std::uint64_t hash = static_cast<std::uint64_t>(key.phase);
  for (const std::uint64_t more : {static_cast<std::uint64_t>(key.rows), key.shows, key.hides})
    hash = (hash ^ (hash >> 29)) * 0x9e3779b97f4a7c15u + more;
  return static_cast<std::size_t>(hash ^ (hash >> 32));
}

/// What shows_ and hides_ say of one period of tiles, from tile 0; null where it cannot be kept.
const DomainEvaluator::Pattern* DomainEvaluator::pattern(std::int64_t period,
                                                         std::int64_t row_period, bool all_visited,
                                                         bool all_hidden) {
  if (period == 0 || row_period == 0 || visited_.size() > 63 || hidden_.size() > 63 ||
      row_names_.size() > 2)
    return nullptr;
  PatternKey key{0, 0, all_visited ? std::uint64_t{1} << 63 : 0,
                 all_hidden ? std::uint64_t{1} << 63 : 0};
  if (!row_names_.empty()) {
    const std::int64_t row = slots_[static_cast<std::size_t>(row_names_[0])];
    key.phase = remainder(row, row_period);
    key.rows = slots_[static_cast<std::size_t>(row_names_.back())] - row;
  }
  for (const Interval* one : shows_) key.shows |= std::uint64_t{1} << (one - visited_.data());
  for (const Interval* one : hides_) key.hides |= std::uint64_t{1} << (one - hidden_.data());
  if (const auto known = patterns_.find(key); known != patterns_.end()) return &known->second;
  if (kept_ + static_cast<std::size_t>(period) > most_kept) return nullptr;
  Pattern made(static_cast<std::size_t>(period) + 1);
  for (std::int64_t tile = 0; tile < period; ++tile) {
    const bool visited = all_visited || any_holds(shows_, tile);
    const bool cut = visited && (all_hidden || any_holds(hides_, tile));
    const auto at = static_cast<std::size_t>(tile);
    made[at + 1] = {made[at].first + visited, made[at].second + cut};
  }
  kept_ += static_cast<std::size_t>(period);
  return &patterns_.emplace(key, std::move(made)).first->second;
}

void DomainEvaluator::count(std::int64_t first, std::int64_t last, TileCounts& counts) {
  const std::int64_t length = last - first + 1;
  // Those with a condition that matters, and how soon all of them are as at first.
  bool all_visited = false, all_hidden = false;
  const auto ask = [&](const std::vector<Active>& all, std::vector<const Interval*>& asked) {
    asked.clear();
    for (const Active& one : all) {
      if (one.first > first || last > one.last) continue;
      if (one.interval->condition < 0) {
        asked.clear();
        return true;
      }
      asked.push_back(one.interval);
    }
    return false;
  };
  all_visited = ask(shown_now_, shows_);
  if (!all_visited && shows_.empty()) return;
  all_hidden = ask(hidden_now_, hides_);
  if (all_visited && hides_.empty()) {
    (all_hidden ? counts.cut : counts.full) += length;
    return;
  }
  std::int64_t period = 1, row_period = 1;
  for (const auto* asked : {&shows_, &hides_})
    for (const Interval* one : *asked) {
      period = common_period(period, one->period);
      row_period = common_period(row_period, one->row_period);
    }
  if (period > std::max(length, short_period)) period = 0;
  if (const Pattern* kept = pattern(period, row_period, all_visited, all_hidden)) {
    const auto before = [&](std::int64_t tile) {
      const auto& [seen, cut] = (*kept)[static_cast<std::size_t>(tile % period)];
      return TileCounts{0, tile / period * (kept->back().first - kept->back().second) + seen - cut,
                        tile / period * kept->back().second + cut};
    };
    const TileCounts to = before(last + 1), from = before(first);
    counts.full += to.full - from.full;
    counts.cut += to.cut - from.cut;
    return;
  }
  count_one_by_one(first, length, all_visited, all_hidden, period, counts);
}

void DomainEvaluator::count_one_by_one(std::int64_t first, std::int64_t length, bool all_visited,
                                       bool all_hidden, std::int64_t period, TileCounts& counts) {
  if (period == 0 || period > length) period = length;
  const std::int64_t rest = length % period;
  std::int64_t seen = 0, cut = 0, seen_in_rest = 0, cut_in_rest = 0;
  for (std::int64_t i = 0; i < period; ++i) {
    if (i == rest) seen_in_rest = seen, cut_in_rest = cut;
    if (!all_visited && !any_holds(shows_, first + i)) continue;
    ++seen;
    cut += all_hidden || any_holds(hides_, first + i);
  }
  const std::int64_t times = length / period;
  counts.full += times * (seen - cut) + seen_in_rest - cut_in_rest;
  counts.cut += times * cut + cut_in_rest;
}

TileCounts DomainEvaluator::counts(std::int64_t tiles, const std::vector<std::int64_t>& numbers) {
  TileCounts counts;
  if (tiles <= 0) return counts;
  start(numbers);
  activate(visited_, slots_, tiles, shown_now_);
  activate(hidden_, slots_, tiles, hidden_now_);
  ends_.clear();
  for (const auto* all : {&shown_now_, &hidden_now_})
    for (const Active& one : *all) {
      ends_.push_back(one.first);
      ends_.push_back(one.last + 1);
    }
  std::sort(ends_.begin(), ends_.end());
  for (std::size_t i = 0; i + 1 < ends_.size(); ++i)
    if (ends_[i] < ends_[i + 1]) count(ends_[i], ends_[i + 1] - 1, counts);
  counts.skipped = tiles - counts.full - counts.cut;
  return counts;
}

std::vector<DomainEvaluator::Stretch> DomainEvaluator::unite(const std::vector<Interval>& intervals,
                                                             std::int64_t tiles) {
  activate(intervals, slots_, tiles, shown_now_);
  std::vector<Stretch> all;
  for (const Active& one : shown_now_) {
    if (one.interval->condition < 0) {
      all.emplace_back(one.first, one.last);
      continue;
    }
    for (std::int64_t tile = one.first; tile <= one.last; ++tile) {
      if (!holds(*one.interval, tile)) continue;
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

std::vector<TileClass> DomainEvaluator::classes(std::int64_t tiles,
                                                const std::vector<std::int64_t>& numbers) {
  std::vector<TileClass> classes(static_cast<std::size_t>(std::max<std::int64_t>(tiles, 0)),
                                 TileClass::skipped);
  if (tiles <= 0) return classes;
  start(numbers);
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
