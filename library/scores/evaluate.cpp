// See evaluate.hpp.
#include "scores/evaluate.hpp"

#include <tilewright/error.hpp>

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

double read(const ScoreNode& table, const ScoreSetting& setting, const ScorePoint& at) {
  const auto found = setting.tables.find(table.name);
  if (found == setting.tables.end())
    throw Error(errors::scores["table-not-there"], "table '" + table.name + "' is missing",
                {table.name, "", "its numbers", ""});
  const HostTable& numbers = found->second;
  std::int64_t place = 0;
  for (std::size_t i = 0; i < table.operands.size(); ++i) {
    const auto index = static_cast<std::int64_t>(evaluate(table.operands[i], setting, at));
    if (index < 0 || index >= numbers.extents[i]) return 0;
    place = place * numbers.extents[i] + index;
  }
  return numbers.numbers[static_cast<std::size_t>(place)];
}

}  // namespace

double evaluate(const ScoreTree& tree, const ScoreSetting& setting, const ScorePoint& at) {
  const ScoreNode& node = *tree;
  if (node.leaf != ScoreNode::Leaf::none) return leaf(node.leaf, setting, at);
  if (node.op == Op::constant) return node.constant;
  if (node.op == Op::scalar_argument) {
    const auto given = setting.numbers.find(node.name);
    return given == setting.numbers.end() ? node.constant : given->second;
  }
  if (node.op == Op::load) return read(node, setting, at);
  std::array<double, 3> operands{};
  for (std::size_t i = 0; i < node.operands.size(); ++i)
    operands[i] = evaluate(node.operands[i], setting, at);
  return pointwise(node.op, node.dtype, operands);
}

}  // namespace tilewright::library
