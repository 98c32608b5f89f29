// See evaluate.hpp.
#include "scores/evaluate.hpp"

#include <array>
#include <tilewright/error.hpp>
#include <unordered_map>

#include "scores/arithmetic.hpp"
#include "scores/errors.hpp"

namespace tilewright::library {
namespace {

double leaf(ScoreNode::Leaf which, const ScoreSetting& setting, const ScorePoint& at) {
  const auto number = [](std::int64_t value) { return static_cast<double>(value); };
  switch (which) {
    case ScoreNode::Leaf::batch: return number(at.batch);
    case ScoreNode::Leaf::head: return number(at.head);
    case ScoreNode::Leaf::row: return number(at.row);
    case ScoreNode::Leaf::key: return number(at.key);
    case ScoreNode::Leaf::seqlen_q: return number(setting.seqlen_q);
    case ScoreNode::Leaf::seqlen_kv: return number(setting.seqlen_kv);
    case ScoreNode::Leaf::heads: return number(setting.heads);
    case ScoreNode::Leaf::score: return at.score;
    case ScoreNode::Leaf::residue: return number(at.residue);
    case ScoreNode::Leaf::none: break;
  }
  return 0;
}

/// One point; parts that stand in a tree more than once are computed once.
class Evaluation {
 public:
  Evaluation(const ScoreSetting& setting, const ScorePoint& at) : setting_(setting), at_(at) {}

  double of(const ScoreTree& tree) {
    const ScoreNode& node = *tree;
    if (node.leaf != ScoreNode::Leaf::none) return leaf(node.leaf, setting_, at_);
    if (node.op == Op::constant) return node.constant;
    if (node.op == Op::scalar_argument) {
      const auto given = setting_.numbers.find(node.name);
      return given == setting_.numbers.end() ? node.constant : given->second;
    }
    const bool shared = tree.use_count() > 1;
    if (shared)
      if (const auto known = known_.find(&node); known != known_.end()) return known->second;
    const double value = node.op == Op::load ? read(node) : computed(node);
    if (shared) known_.emplace(&node, value);
    return value;
  }

 private:
  double computed(const ScoreNode& node) {
    std::array<double, 3> operands{};
    for (std::size_t i = 0; i < node.operands.size(); ++i) operands[i] = of(node.operands[i]);
    return pointwise(node.op, node.dtype, operands);
  }

  double read(const ScoreNode& table) {
    const auto found = setting_.tables.find(table.name);
    if (found == setting_.tables.end())
      throw Error(errors::scores["table-not-there"], "table '" + table.name + "' is missing",
                  {table.name, "", "its numbers", ""});
    const HostTable& numbers = found->second;
    std::int64_t place = 0;
    for (std::size_t i = 0; i < table.operands.size(); ++i) {
      const auto index = static_cast<std::int64_t>(of(table.operands[i]));
      if (index < 0 || index >= numbers.extents[i]) return 0;
      place = place * numbers.extents[i] + index;
    }
    return numbers.numbers[static_cast<std::size_t>(place)];
  }

  const ScoreSetting& setting_;
  const ScorePoint& at_;
  std::unordered_map<const ScoreNode*, double> known_;
};

}  // namespace

double evaluate(const ScoreTree& tree, const ScoreSetting& setting, const ScorePoint& at) {
  return Evaluation(setting, at).of(tree);
}

}  // namespace tilewright::library
