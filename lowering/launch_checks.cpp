// See launch_checks.hpp.
#include "launch_checks.hpp"

#include <algorithm>
#include <map>

#include "ir/flattened.hpp"

#include "ir/errors.hpp"
#include "plan_errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright {
namespace {

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

}  // namespace

/// Collects the rules of a program in its order, then keeps those that a check needs.
class LaunchChecks::Finder {
 public:
  Finder(LaunchChecks& checks, const ir::Kernel& kernel) : checks_(checks), kernel_(kernel) {
    visit(kernel.body);
    drop_unneeded();
  }

 private:
  void visit(const ir::Region& region) {
    for (const auto& operation : region.operations) {
      add_rule(*operation);
      if (operation->follows_list()) {
        add_list(*operation);
      } else
        for (std::size_t i = 0; i < operation->indices.size(); ++i) add_bound(*operation, i);
      for (const auto& inner : operation->regions) visit(*inner);
    }
  }

  void add_list(const ir::Operation& loop) {
    const ir::Operation* begin = definitions_[static_cast<std::size_t>(loop.indices[0].value)];
    if (begin == nullptr || begin->op != Op::load) return;
    for (const ir::Axis& rows : kernel_.axes) {
      if (rows.block != begin->indices.back().value || rows.follows >= 0) continue;
      ListRows list{.dimension = checks_.signature_.dimension(
                        kernel_.find_argument(begin->name)->dims.back()),
                    .parts = {},
                    .tile = rows.requested_tile,
                    .list = loop.name,
                    .rows = rows.dim,
                    .where = to_string(loop.where)};
      for (const std::string& part : ir::parts_of(rows.dim))
        list.parts.push_back(checks_.signature_.dimension(part));
      checks_.lists_.push_back(std::move(list));
    }
  }

  int find(const ir::Operation& operation, std::size_t operand) const {
    if (operand >= operation.operands.size()) return -1;
    const auto found = number_.find(operation.operands[operand]);
    return found == number_.end() ? -1 : found->second;
  }

  void add_rule(const ir::Operation& operation) {
    if (operation.results.size() != 1) return;
    const ir::Type& type = kernel_.type(operation.results[0]);
    if (!type.axes.empty() || !is_integer(type.dtype)) return;
    Rule rule{.op = operation.op,
              .x = find(operation, 0),
              .y = find(operation, 1),
              .where = to_string(operation.where)};
    switch (operation.op) {
      case Op::constant: rule.constant = static_cast<std::int64_t>(operation.constant); break;
      case Op::extent:
      case Op::each: rule.from = checks_.signature_.dimension(operation.name); break;
      case Op::scalar_argument: rule.from = checks_.signature_.slot(operation.name); break;
      case Op::add:
      case Op::sub:
      case Op::div:
      case Op::mod: break;
      default: return;
    }
    rule.made = static_cast<int>(number_.size());
    number_[operation.results[0]] = rule.made;
    if (operation.op == Op::each) each_[rule.made] = rule.from;
    checks_.rules_.push_back(std::move(rule));
  }

  void add_bound(const ir::Operation& operation, std::size_t axis) {
    const ir::Index& index = operation.indices[axis];
    if (index.kind != IndexSpec::Kind::scalar) return;
    const auto found = number_.find(index.value);
    if (found == number_.end()) return;
    const std::string& dim = kernel_.find_argument(operation.name)->dims[axis];
    const int dimension = checks_.signature_.dimension(dim);
    // The number of a program along a dimension is below its extent.
    if (const auto each = each_.find(found->second);
        each != each_.end() && each->second == dimension)
      return;
    checks_.bounds_.push_back({.range = found->second,
                               .slot = checks_.signature_.slot(operation.name),
                               .dimension = dimension,
                               .after = checks_.rules_.size(),
                               .where = to_string(operation.where)});
  }

  void drop_unneeded() {
    std::vector<bool> needed(number_.size(), false);
    const auto need = [&](int range) {
      if (range >= 0) needed[static_cast<std::size_t>(range)] = true;
    };
    for (const Bound& bound : checks_.bounds_) need(bound.range);
    std::vector<Rule>& rules = checks_.rules_;
    for (std::size_t i = rules.size(); i-- > 0;) {
      const Rule& rule = rules[i];
      if (rule.op == Op::div || rule.op == Op::mod) need(rule.made);  // its divisor
      if (!needed[static_cast<std::size_t>(rule.made)]) continue;
      need(rule.x), need(rule.y);
    }
    std::vector<std::size_t> before(rules.size() + 1, 0);  // kept rules in front of each
    std::vector<int> renamed(number_.size(), -1);
    std::vector<Rule> kept;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      before[i] = kept.size();
      if (!needed[static_cast<std::size_t>(rules[i].made)]) continue;
      const auto rename = [&](int& range) {
        if (range >= 0) range = renamed[static_cast<std::size_t>(range)];
      };
      renamed[static_cast<std::size_t>(rules[i].made)] = static_cast<int>(kept.size());
      rename(rules[i].made), rename(rules[i].x), rename(rules[i].y);
      kept.push_back(std::move(rules[i]));
    }
    before[rules.size()] = kept.size();
    for (Bound& bound : checks_.bounds_) {
      bound.range = renamed[static_cast<std::size_t>(bound.range)];
      bound.after = before[bound.after];
    }
    rules = std::move(kept);
    checks_.ranges_ = rules.size();
  }

  LaunchChecks& checks_;
  const ir::Kernel& kernel_;
  const std::vector<const ir::Operation*> definitions_ = ir::definitions(kernel_);
  std::map<ValueId, int> number_;
  std::map<int, int> each_;  ///< ranges that number the programs of a dimension
};

LaunchChecks::LaunchChecks(const Signature& signature, const ir::Kernel& traced)
    : signature_(signature) {
  for (const std::string& dim : traced.grid)
    for (const std::string& part : ir::parts_of(dim)) grid_.push_back(signature.dimension(part));
  Finder(*this, traced);
}

void LaunchChecks::run(const LaunchArguments& given) const {
  if (rules_.empty() && lists_.empty()) return;
  for (const int dim : grid_)
    if (given.extent(dim) == 0) return;  // no program runs
  for (const ListRows& list : lists_) check(list, given);
  std::vector<Range> ranges(ranges_);
  auto bound = bounds_.begin();
  for (std::size_t i = 0; i <= rules_.size(); ++i) {
    for (; bound != bounds_.end() && bound->after == i; ++bound)
      check(*bound, given, ranges[static_cast<std::size_t>(bound->range)]);
    if (i < rules_.size())
      ranges[static_cast<std::size_t>(rules_[i].made)] = apply(rules_[i], given, ranges);
  }
}

LaunchChecks::Range LaunchChecks::apply(const Rule& rule, const LaunchArguments& given,
                                        const std::vector<Range>& ranges) const {
  const auto range = [&](int which) {
    return which < 0 ? Range{} : ranges[static_cast<std::size_t>(which)];
  };
  const Range x = range(rule.x), y = range(rule.y);
  const bool both = x.known && y.known;
  if ((rule.op == Op::div || rule.op == Op::mod) && y.known && y.low <= 0 && y.high >= 0)
    throw Error(errors::ir["division-by-zero"], "the kernel would divide by 0 with these extents",
                {.argument = std::string(info(rule.op).name),
                 .value = "0",
                 .allowed = "a divisor of at least 1",
                 .where = rule.where});
  switch (rule.op) {
    case Op::constant: return {rule.constant, rule.constant, true};
    case Op::extent: return {given.extent(rule.from), given.extent(rule.from), true};
    case Op::each: return {0, given.extent(rule.from) - 1, true};
    case Op::scalar_argument: {
      const auto number = static_cast<std::int64_t>(given[rule.from].number);
      return {number, number, true};
    }
    case Op::add: return both ? Range{x.low + y.low, x.high + y.high, true} : Range{};
    case Op::sub: return both ? Range{x.low - y.high, x.high - y.low, true} : Range{};
    case Op::div:
      if (!both || y.low <= 0) return {};
      return {std::min(floor_divide(x.low, y.low), floor_divide(x.low, y.high)),
              std::max(floor_divide(x.high, y.low), floor_divide(x.high, y.high)), true};
    case Op::mod: return y.known && y.low > 0 ? Range{0, y.high - 1, true} : Range{};
    default: return {};
  }
}

void LaunchChecks::check(const ListRows& list, const LaunchArguments& given) const {
  std::int64_t extent = 1;
  for (const int part : list.parts) extent *= given.extent(part);
  const std::int64_t tiles = (extent + list.tile - 1) / list.tile;
  if (given.extent(list.dimension) == tiles) return;
  throw Error(errors::plan["list-rows-disagree"],
              "the list '" + list.list + "' has another number of rows than '" + list.rows +
                  "' has tiles of " + std::to_string(list.tile),
              {.argument = signature_.dimension_name(list.dimension),
               .value = std::to_string(given.extent(list.dimension)),
               .allowed = std::to_string(tiles),
               .where = list.where});
}

void LaunchChecks::check(const Bound& bound, const LaunchArguments& given,
                         const Range& range) const {
  const std::int64_t extent = given.extent(bound.dimension);
  if (!range.known || (range.low >= 0 && range.high < extent)) return;
  if (!given[bound.slot].given || extent == 0) return;
  const std::string& dim = signature_.dimension_name(bound.dimension);
  throw Error(errors::plan["index-leaves-tensor"],
              "the index of '" + signature_.slots()[static_cast<std::size_t>(bound.slot)].name +
                  "' along '" + dim + "' leaves the tensor",
              {.argument = dim,
               .value = std::to_string(range.low) + " to " + std::to_string(range.high),
               .allowed = "0 to " + std::to_string(extent - 1),
               .where = bound.where});
}

}  // namespace tilewright
