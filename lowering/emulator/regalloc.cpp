// Linear scan over statement positions (see regalloc.hpp). An interval covers everything between a
// register's first and last live position, so it is safe for lanes that took different paths: a
// lane that waits at a meeting point keeps what is live there.
#include "emulator/regalloc.hpp"

#include <algorithm>
#include <queue>

#include "emulator/instruction.hpp"

namespace tilewright::emulator {
namespace {

struct Interval {
  int reg = 0;
  long first = -1, last = -1;
};

std::vector<Interval> find_intervals(const Function& function, const FlowGraph& graph,
                                     const Liveness& live) {
  std::vector<Interval> all(function.registers.size());
  const auto touch = [&](int reg, std::size_t at) {
    Interval& interval = all[static_cast<std::size_t>(reg)];
    const long position = static_cast<long>(at);
    if (interval.first < 0 || position < interval.first) interval.first = position;
    interval.last = std::max(interval.last, position);
  };
  const auto touch_all = [&](const Liveness::Set& set, std::size_t at) {
    for (std::size_t w = 0; w < set.size(); ++w) {
      for (std::uint64_t left = set[w]; left != 0; left &= left - 1) {
        touch(static_cast<int>(64 * w) + __builtin_ctzll(left), at);
      }
    }
  };
  for (std::size_t b = 0; b < graph.blocks().size(); ++b) {
    const BasicBlock& block = graph.blocks()[b];
    touch_all(live.in[b], block.first);
    touch_all(live.out[b], block.end);
    for (std::size_t k = block.first; k < block.end; ++k) {
      const Uses uses = uses_of(function.body[k]);
      for (const int reg : uses.reads) touch(reg, k);
      for (const int reg : uses.writes) touch(reg, k);
    }
  }
  std::vector<Interval> used;
  for (std::size_t reg = 0; reg < all.size(); ++reg) {
    if (all[reg].first < 0) continue;
    all[reg].reg = static_cast<int>(reg);
    used.push_back(all[reg]);
  }
  std::stable_sort(used.begin(), used.end(),
                   [](const Interval& a, const Interval& b) { return a.first < b.first; });
  return used;
}

/// Slots of one class: the free ones and those whose interval still runs.
class SlotPool {
 public:
  int take(const Interval& interval) {
    while (!running_.empty() && running_.top().first < interval.first) {
      free_.push_back(running_.top().second);
      running_.pop();
    }
    int slot = count_;
    if (free_.empty()) {
      ++count_;
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    running_.emplace(interval.last, slot);
    return slot;
  }
  std::uint32_t count() const { return static_cast<std::uint32_t>(count_); }

 private:
  using Ending = std::pair<long, int>;
  std::priority_queue<Ending, std::vector<Ending>, std::greater<>> running_;
  std::vector<int> free_;
  int count_ = 0;
};

}  // namespace

Allocation allocate_registers(const Function& function, const FlowGraph& graph) {
  Allocation result;
  result.slot.assign(function.registers.size(), -1);
  result.predicates = first_predicate;
  if (graph.blocks().empty()) return result;
  const Liveness live = find_liveness(function, graph);
  SlotPool narrow, wide;
  for (const Interval& interval : find_intervals(function, graph, live)) {
    const std::size_t reg = static_cast<std::size_t>(interval.reg);
    switch (function.registers[reg]) {
      case RegisterClass::predicate:
        result.slot[reg] = static_cast<int>(result.predicates++);
        break;
      case RegisterClass::narrow: result.slot[reg] = narrow.take(interval); break;
      case RegisterClass::wide: result.slot[reg] = wide.take(interval); break;
    }
    if (Liveness::has(live.in[0], interval.reg)) result.undefined.push_back(interval.reg);
  }
  result.narrow = narrow.count();
  result.wide = wide.count();
  return result;
}

}  // namespace tilewright::emulator
