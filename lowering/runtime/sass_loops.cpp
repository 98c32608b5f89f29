// Basic blocks, dominators (Cooper, Harvey and Kennedy's iteration), then natural loops; loops with
// one header are one loop.
#include "runtime/sass_loops.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace tilewright::runtime {
namespace {

constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

struct Block {
  std::size_t begin = 0, end = 0;
  std::vector<std::size_t> successors, predecessors;
};

/// Falls through never: no guard, and none of the branch's own predicates or uniform conditions.
bool always_taken(const Instruction& branch) {
  return !branch.guarded() && (branch.high >> 18 & 0x1ff) == 0xe0;
}

bool ends_block(const Instruction& instruction) {
  switch (instruction.operation()) {
    case operation::branch:
    case operation::branch_indexed:
    case operation::exit:
    case operation::return_from_call: return true;
    default: return false;
  }
}

std::vector<Block> split_into_blocks(const std::vector<Instruction>& code, int architecture) {
  std::set<std::size_t> starts{0};
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (const auto target = branch_target(code, i, architecture)) starts.insert(*target);
    if (ends_block(code[i]) && i + 1 < code.size()) starts.insert(i + 1);
  }
  std::vector<Block> blocks;
  std::map<std::size_t, std::size_t> block_at;
  for (auto start = starts.begin(); start != starts.end(); ++start) {
    const auto next = std::next(start);
    block_at[*start] = blocks.size();
    blocks.push_back({*start, next == starts.end() ? code.size() : *next, {}, {}});
  }
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const std::size_t last = blocks[b].end - 1;
    const unsigned what = code[last].operation();
    const auto target = branch_target(code, last, architecture);
    bool falls_through = true;
    if (what == operation::branch) falls_through = !always_taken(code[last]);
    if (what == operation::branch_indexed) falls_through = false;
    if (what == operation::exit || what == operation::return_from_call)
      falls_through = code[last].guarded();
    if (target) blocks[b].successors.push_back(block_at.at(*target));
    if (falls_through && b + 1 < blocks.size()) blocks[b].successors.push_back(b + 1);
  }
  for (std::size_t b = 0; b < blocks.size(); ++b)
    for (const std::size_t next : blocks[b].successors) blocks[next].predecessors.push_back(b);
  return blocks;
}

/// Reverse post-order of the blocks that the entry reaches.
std::vector<std::size_t> reverse_post_order(const std::vector<Block>& blocks) {
  std::vector<std::size_t> order;
  std::vector<bool> seen(blocks.size());
  std::vector<std::pair<std::size_t, std::size_t>> stack{{0, 0}};
  seen[0] = true;
  while (!stack.empty()) {
    auto& [block, next] = stack.back();
    if (next < blocks[block].successors.size()) {
      const std::size_t successor = blocks[block].successors[next++];
      if (!seen[successor]) {
        seen[successor] = true;
        stack.emplace_back(successor, 0);
      }
    } else {
      order.push_back(block);
      stack.pop_back();
    }
  }
  std::reverse(order.begin(), order.end());
  return order;
}

/// For each reached block its position in the order and its immediate dominator.
struct Dominators {
  std::vector<std::size_t> position, parent;

  Dominators(const std::vector<Block>& blocks, const std::vector<std::size_t>& order)
      : position(blocks.size(), none), parent(blocks.size(), none) {
    for (std::size_t i = 0; i < order.size(); ++i) position[order[i]] = i;
    parent[0] = 0;
    for (bool changed = true; changed;) {
      changed = false;
      for (const std::size_t block : order) {
        if (block == 0) continue;
        std::size_t best = none;
        for (const std::size_t before : blocks[block].predecessors)
          if (parent[before] != none) best = best == none ? before : common(before, best);
        if (best == parent[block]) continue;
        parent[block] = best;
        changed = true;
      }
    }
  }

  std::size_t common(std::size_t a, std::size_t b) const {
    while (a != b) {
      while (position[a] > position[b]) a = parent[a];
      while (position[b] > position[a]) b = parent[b];
    }
    return a;
  }

  bool dominates(std::size_t above, std::size_t below) const {
    while (position[below] > position[above]) below = parent[below];
    return above == below;
  }
};

/// Ways round one loop: its blocks in topological order, back edges left out.
class Trips {
 public:
  Trips(const std::vector<Instruction>& code, const std::vector<Block>& blocks,
        const Dominators& dominators, std::size_t header, const std::set<std::size_t>& body,
        const std::map<std::size_t, std::set<std::size_t>>& loops, std::size_t nested_trips)
      : code_(code), blocks_(blocks), header_(header), order_(body.begin(), body.end()) {
    std::sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return dominators.position[a] < dominators.position[b];
    });
    for (std::size_t i = 0; i < order_.size(); ++i) index_[order_[i]] = i;
    times_.assign(order_.size(), 1);
    for (const auto& [other, inner] : loops)
      if (other != header && body.count(other) != 0)
        for (const std::size_t block : inner) times_[index_.at(block)] *= nested_trips;
  }

  InstructionMix cheapest() const {
    // Stations: where the work is, in the order it is passed.
    std::vector<std::size_t> path{0};
    for (std::size_t i = 0; i < order_.size(); ++i) {
      if (i == 0 || !works(order_[i])) continue;
      const std::vector<std::size_t> leg = way(path.back(), i);
      path.insert(path.end(), leg.begin(), leg.end());  // empty: the other side of a branch
    }
    const std::vector<std::size_t> home = way(path.back(), none);
    path.insert(path.end(), home.begin(), home.end());
    InstructionMix mix;
    for (const std::size_t at : path) {
      const Block& block = blocks_[order_[at]];
      for (std::size_t i = block.begin; i < block.end; ++i) mix.add(code_[i], times_[at]);
    }
    return mix;
  }

 private:
  bool works(std::size_t block) const {
    for (std::size_t i = blocks_[block].begin; i < blocks_[block].end; ++i)
      if (const InstructionClass kind = classify(code_[i]);
          kind == InstructionClass::tensor || kind == InstructionClass::global)
        return true;
    return false;
  }
  std::size_t cost(std::size_t at) const {
    return (blocks_[order_[at]].end - blocks_[order_[at]].begin) * times_[at];
  }

  /// The blocks after `from` up to `to` on the cheapest way; `none`: to the end of the trip.
  std::vector<std::size_t> way(std::size_t from, std::size_t to) const {
    std::vector<std::size_t> costs(order_.size(), none), before(order_.size(), none);
    costs[from] = 0;
    std::size_t best = none, last = none;
    for (std::size_t at = from; at < order_.size(); ++at) {
      if (costs[at] == none) continue;
      for (const std::size_t next : blocks_[order_[at]].successors) {
        if (next == header_ && to == none && costs[at] < best) {
          best = costs[at];
          last = at;
        }
        const auto found = index_.find(next);
        if (found == index_.end() || found->second <= at) continue;
        const std::size_t sum = costs[at] + cost(found->second);
        if (sum >= costs[found->second]) continue;
        costs[found->second] = sum;
        before[found->second] = at;
      }
    }
    if (to != none) last = to;
    std::vector<std::size_t> path;
    if (last == none || costs[last] == none) return path;
    for (; last != from; last = before[last]) path.push_back(last);
    std::reverse(path.begin(), path.end());
    return path;
  }

  const std::vector<Instruction>& code_;
  const std::vector<Block>& blocks_;
  std::size_t header_;
  std::vector<std::size_t> order_;
  std::map<std::size_t, std::size_t> index_;
  std::vector<std::size_t> times_;
};

}  // namespace

std::vector<SassLoop> find_loops(const std::vector<Instruction>& code, int architecture,
                                 std::size_t nested_trips) {
  if (code.empty()) return {};
  const std::vector<Block> blocks = split_into_blocks(code, architecture);
  const auto order = reverse_post_order(blocks);
  const Dominators dominators(blocks, order);

  std::map<std::size_t, std::set<std::size_t>> members;  // by header
  for (const std::size_t latch : order) {
    for (const std::size_t header : blocks[latch].successors) {
      if (!dominators.dominates(header, latch)) continue;
      auto& body = members[header];
      body.insert(header);
      std::vector<std::size_t> work{latch};
      while (!work.empty()) {
        const std::size_t block = work.back();
        work.pop_back();
        if (dominators.position[block] == none || !body.insert(block).second) continue;
        work.insert(work.end(), blocks[block].predecessors.begin(),
                    blocks[block].predecessors.end());
      }
    }
  }

  std::vector<SassLoop> loops;
  for (const auto& [header, body] : members) {
    SassLoop loop;
    loop.begin = none;
    loop.innermost = std::none_of(members.begin(), members.end(), [&](const auto& other) {
      return other.first != header && body.count(other.first) != 0;
    });
    for (const std::size_t block : body) {
      loop.begin = std::min(loop.begin, blocks[block].begin);
      loop.end = std::max(loop.end, blocks[block].end);
      for (std::size_t i = blocks[block].begin; i < blocks[block].end; ++i) loop.mix.add(code[i]);
    }
    loop.trip = Trips(code, blocks, dominators, header, body, members, nested_trips).cheapest();
    loops.push_back(loop);
  }
  std::sort(loops.begin(), loops.end(), [](const SassLoop& a, const SassLoop& b) {
    return std::pair(a.begin, b.end) < std::pair(b.begin, a.end);
  });
  return loops;
}

}  // namespace tilewright::runtime
