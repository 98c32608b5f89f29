// Control flow of one kernel: basic blocks, where diverged lanes meet again, which registers are
// alive where. regalloc.hpp uses the liveness, decode.hpp the blocks and meeting points.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/ptx_ir.hpp"

namespace tilewright::emulator {

/// Registers a statement reads and writes. A guarded write also reads: other lanes keep theirs.
struct Uses {
  std::vector<int> reads, writes;
};
Uses uses_of(const Statement& statement);

/// Nothing after it in the block is reached: an unguarded branch, exit or trap.
bool ends_flow(const Statement& statement);
/// A new block begins after it.
bool ends_block(const Statement& statement);

struct BasicBlock {
  std::size_t first = 0, end = 0;  ///< statements [first, end)
  std::vector<int> successors;     ///< block numbers; the number of blocks is the exit
  int meeting = -1;                ///< immediate post-dominator, -1: only the exit
};

class FlowGraph {
 public:
  explicit FlowGraph(const Function& function);
  const std::vector<BasicBlock>& blocks() const { return blocks_; }
  int block_of_label(int label) const { return label_block_[static_cast<std::size_t>(label)]; }

 private:
  void split(const Function& function);
  void connect(const Function& function);
  void find_meetings();

  std::vector<BasicBlock> blocks_;
  std::vector<int> label_block_;
};

/// Bit sets of registers at block borders.
struct Liveness {
  using Set = std::vector<std::uint64_t>;
  std::vector<Set> in, out;
  static bool has(const Set& set, int reg) {
    return (set[static_cast<std::size_t>(reg) / 64] >> (static_cast<unsigned>(reg) % 64) & 1) != 0;
  }
};
Liveness find_liveness(const Function& function, const FlowGraph& graph);

}  // namespace tilewright::emulator
