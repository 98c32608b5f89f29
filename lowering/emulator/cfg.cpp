// Basic blocks, immediate post-dominators and liveness (see cfg.hpp): the textbook iterations, on
// the reversed graph for post-dominators (Cooper, Harvey and Kennedy) and backwards for liveness.
#include "emulator/cfg.hpp"

#include <algorithm>

#include "emulator/engine.hpp"

namespace tilewright::emulator {
namespace {

void add_registers(const Operand& operand, std::vector<int>& list) {
  if (operand.reg >= 0) list.push_back(operand.reg);
  if (operand.paired >= 0) list.push_back(operand.paired);
  for (const Operand& element : operand.elements) add_registers(element, list);
}

bool writes_first(const Statement& statement) {
  const Opcode opcode = statement.form.opcode;
  const bool barrier = opcode == Opcode::bar || opcode == Opcode::barrier;
  return writes_first_operand(opcode) || (barrier && statement.form.has(Modifier::red));
}

bool leaves(const Statement& statement) {
  const Opcode opcode = statement.form.opcode;
  return opcode == Opcode::ret || opcode == Opcode::exit || opcode == Opcode::trap ||
         opcode == Opcode::brkpt;
}

bool branches(const Statement& statement) {
  return statement.form.opcode == Opcode::bra || statement.form.opcode == Opcode::brx;
}

}  // namespace

Uses uses_of(const Statement& statement) {
  Uses uses;
  if (statement.label >= 0 || statement.folded) return uses;
  if (statement.guard >= 0) uses.reads.push_back(statement.guard);
  for (std::size_t k = 0; k < statement.operands.size(); ++k) {
    const Operand& operand = statement.operands[k];
    const bool written =
        k == 0 && writes_first(statement) && operand.kind != Operand::Kind::address;
    add_registers(operand, written ? uses.writes : uses.reads);
    if (written && statement.guard >= 0) add_registers(operand, uses.reads);
  }
  return uses;
}

bool ends_flow(const Statement& statement) {
  if (statement.label >= 0) return false;
  if (statement.form.opcode == Opcode::brx) return true;
  return statement.guard < 0 && (branches(statement) || leaves(statement));
}

bool ends_block(const Statement& statement) {
  return statement.label < 0 && (branches(statement) || leaves(statement));
}

FlowGraph::FlowGraph(const Function& function) {
  split(function);
  connect(function);
  find_meetings();
}

void FlowGraph::split(const Function& function) {
  label_block_.assign(static_cast<std::size_t>(function.labels), 0);
  const auto& body = function.body;
  for (std::size_t k = 0; k < body.size(); ++k) {
    // Labels in a row share a block.
    const bool label_starts = body[k].label >= 0 && (k == 0 || body[k - 1].label < 0);
    if (k == 0 || label_starts || ends_block(body[k - 1])) {
      if (!blocks_.empty()) blocks_.back().end = k;
      blocks_.emplace_back();
      blocks_.back().first = k;
    }
    if (body[k].label >= 0) {
      label_block_[static_cast<std::size_t>(body[k].label)] = static_cast<int>(blocks_.size()) - 1;
    }
  }
  if (!blocks_.empty()) blocks_.back().end = body.size();
}

void FlowGraph::connect(const Function& function) {
  const int exit = static_cast<int>(blocks_.size());
  for (int b = 0; b < exit; ++b) {
    BasicBlock& block = blocks_[static_cast<std::size_t>(b)];
    const Statement& last = function.body[block.end - 1];
    std::vector<int>& successors = block.successors;
    if (last.label < 0 && last.form.opcode == Opcode::bra) {
      successors.push_back(block_of_label(last.operands[0].label));
    }
    for (const int target : last.targets) successors.push_back(block_of_label(target));
    if (last.label < 0 && leaves(last)) successors.push_back(exit);
    if (!ends_flow(last)) successors.push_back(b + 1);  // past the end means exit
  }
}

void FlowGraph::find_meetings() {
  const int exit = static_cast<int>(blocks_.size());
  std::vector<std::vector<int>> predecessors(blocks_.size() + 1);
  for (int b = 0; b < exit; ++b) {
    for (const int s : blocks_[static_cast<std::size_t>(b)].successors) {
      predecessors[static_cast<std::size_t>(s)].push_back(b);
    }
  }
  // Postorder of the reversed graph from the exit; blocks that never exit stay unnumbered.
  std::vector<int> order, number(blocks_.size() + 1, -1);
  std::vector<char> seen(blocks_.size() + 1, 0);
  std::vector<std::pair<int, std::size_t>> stack{{exit, 0}};
  seen[static_cast<std::size_t>(exit)] = 1;
  while (!stack.empty()) {
    const int b = stack.back().first;
    const auto& before = predecessors[static_cast<std::size_t>(b)];
    if (stack.back().second < before.size()) {
      const int p = before[stack.back().second++];
      if (seen[static_cast<std::size_t>(p)] != 0) continue;
      seen[static_cast<std::size_t>(p)] = 1;
      stack.emplace_back(p, 0);
    } else {
      number[static_cast<std::size_t>(b)] = static_cast<int>(order.size());
      order.push_back(b);
      stack.pop_back();
    }
  }
  std::vector<int> dominator(blocks_.size() + 1, -1);
  dominator[static_cast<std::size_t>(exit)] = exit;
  const auto meet = [&](int a, int b) {
    while (a != b) {
      while (number[static_cast<std::size_t>(a)] < number[static_cast<std::size_t>(b)]) {
        a = dominator[static_cast<std::size_t>(a)];
      }
      while (number[static_cast<std::size_t>(b)] < number[static_cast<std::size_t>(a)]) {
        b = dominator[static_cast<std::size_t>(b)];
      }
    }
    return a;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (auto b = order.rbegin(); b != order.rend(); ++b) {
      if (*b == exit) continue;
      int found = -1;
      for (const int s : blocks_[static_cast<std::size_t>(*b)].successors) {
        if (dominator[static_cast<std::size_t>(s)] < 0) continue;
        found = found < 0 ? s : meet(found, s);
      }
      if (found == dominator[static_cast<std::size_t>(*b)]) continue;
      dominator[static_cast<std::size_t>(*b)] = found;
      changed = true;
    }
  }
  for (int b = 0; b < exit; ++b) {
    const int found = dominator[static_cast<std::size_t>(b)];
    blocks_[static_cast<std::size_t>(b)].meeting = found == exit ? -1 : found;
  }
}

Liveness find_liveness(const Function& function, const FlowGraph& graph) {
  const std::size_t words = (function.registers.size() + 63) / 64;
  const std::size_t count = graph.blocks().size();
  // Four sets of bits for each block: half a gigabyte in all. Real kernels stay below a hundredth.
  constexpr std::size_t most_words = std::size_t{1} << 24;
  if (words * count > most_words) {
    throw PtxError(static_cast<int>(std::max(function.line, 1U)),
                   "'" + function.name + "' is too large: " + std::to_string(count) +
                       " blocks and " + std::to_string(function.registers.size()) + " registers");
  }
  const Liveness::Set none(words, 0);
  Liveness live;
  live.in.assign(count, none);
  live.out.assign(count, none);
  std::vector<Liveness::Set> read_first(count, none), written(count, none);
  const auto insert = [](Liveness::Set& set, int reg) {
    set[static_cast<std::size_t>(reg) / 64] |= std::uint64_t{1}
                                               << (static_cast<unsigned>(reg) % 64);
  };
  for (std::size_t b = 0; b < count; ++b) {
    for (std::size_t k = graph.blocks()[b].first; k < graph.blocks()[b].end; ++k) {
      const Uses uses = uses_of(function.body[k]);
      for (const int reg : uses.reads) {
        if (!Liveness::has(written[b], reg)) insert(read_first[b], reg);
      }
      for (const int reg : uses.writes) insert(written[b], reg);
    }
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t b = count; b-- > 0;) {
      for (std::size_t w = 0; w < words; ++w) {
        std::uint64_t out = 0;
        for (const int s : graph.blocks()[b].successors) {
          if (static_cast<std::size_t>(s) < count) out |= live.in[static_cast<std::size_t>(s)][w];
        }
        const std::uint64_t in = read_first[b][w] | (out & ~written[b][w]);
        live.out[b][w] = out;
        changed |= in != live.in[b][w];
        live.in[b][w] = in;
      }
    }
  }
  return live;
}

}  // namespace tilewright::emulator
