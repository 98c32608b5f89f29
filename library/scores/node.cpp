// See node.hpp.
#include "scores/node.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tilewright/error.hpp>

#include "scores/arithmetic.hpp"
#include "scores/errors.hpp"

namespace tilewright::library {
namespace {

ScoreTree keep(ScoreNode node) { return std::make_shared<const ScoreNode>(std::move(node)); }

bool is_constant(const ScoreTree& tree) {
  return tree->leaf == ScoreNode::Leaf::none && tree->op == Op::constant;
}

bool same_argument(const ScoreNode& a, const ScoreNode& b) {
  return a.op == b.op && a.dtype == b.dtype && a.constant == b.constant && a.extents == b.extents;
}

/// `seen`: parts may be shared, and are looked at once.
void collect(const ScoreTree& tree, std::set<const ScoreNode*>& seen,
             std::vector<ScoreTree>& found) {
  if (!tree || !seen.insert(tree.get()).second) return;
  for (const ScoreTree& operand : tree->operands) collect(operand, seen, found);
  if (tree->leaf != ScoreNode::Leaf::none) return;
  if (tree->op != Op::scalar_argument && tree->op != Op::load) return;
  const auto known = std::find_if(found.begin(), found.end(), [&](const ScoreTree& other) {
    return other->name == tree->name;
  });
  if (known == found.end()) {
    found.push_back(tree);
  } else if (!same_argument(**known, *tree)) {
    throw Error(errors::scores["score-name-ambiguous"],
                "the name '" + tree->name + "' stands for two different numbers or tables",
                {tree->name, "", "one kind, element type, default and extents for each name", ""});
  }
}

/// What `change` makes of a node whose operands are replaced already; null: it stays.
using Change = std::function<ScoreTree(const ScoreNode&)>;

/// `replaced`: parts that were met before, and what became of them.
ScoreTree replace(const ScoreTree& tree, const Change& change,
                  std::map<const ScoreNode*, ScoreTree>& replaced) {
  if (const auto known = replaced.find(tree.get()); known != replaced.end()) return known->second;
  ScoreNode made = *tree;
  bool changed = false;
  for (ScoreTree& operand : made.operands) {
    ScoreTree other = replace(operand, change, replaced);
    changed = changed || other != operand;
    operand = std::move(other);
  }
  ScoreTree other = change(made);
  if (!other) other = changed ? keep(std::move(made)) : tree;
  return replaced[tree.get()] = other;
}

ScoreTree replace(const ScoreTree& tree, const Change& change) {
  std::map<const ScoreNode*, ScoreTree> replaced;
  return replace(tree, change, replaced);
}

}  // namespace

ScoreTree leaf_node(ScoreNode::Leaf leaf) {
  ScoreNode made;
  made.leaf = leaf;
  made.dtype = leaf == ScoreNode::Leaf::score ? f32 : i32;
  return keep(std::move(made));
}

ScoreTree constant_node(double value, DType dtype) {
  ScoreNode made;
  made.dtype = dtype;
  made.constant = value;
  return keep(std::move(made));
}

ScoreTree node(Op op, DType dtype, std::vector<ScoreTree> operands) {
  if (std::all_of(operands.begin(), operands.end(), is_constant)) {
    std::array<double, 3> values{};
    for (std::size_t i = 0; i < operands.size(); ++i) values[i] = operands[i]->constant;
    return constant_node(pointwise(op, dtype, values), dtype);
  }
  ScoreNode made;
  made.op = op;
  made.dtype = dtype;
  made.operands = std::move(operands);
  return keep(std::move(made));
}

void require_name(const std::string& name) {
  static constexpr std::array taken{"q", "k", "v", "out", "lse", "softmax_scale"};
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const bool identifier =
      !name.empty() && is_letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9');
      });
  if (identifier && std::find(taken.begin(), taken.end(), name) == taken.end()) return;
  throw Error(errors::scores["score-name-unusable"], "not a name for a number or table of a launch",
              {"name", "'" + name + "'",
               "a C identifier other than q, k, v, out, lse and softmax_scale", ""});
}

void require_table(const std::string& name, const std::vector<TableExtent>& extents) {
  require_name(name);
  if (extents.empty())
    throw Error(errors::scores["table-without-extents"], "table '" + name + "' has no extents",
                {name, "{}", "at least one extent", ""});
}

ScoreTree scalar_node(std::string name, DType dtype, double default_value) {
  require_name(name);
  ScoreNode made;
  made.op = Op::scalar_argument;
  made.dtype = dtype;
  made.constant = default_value;
  made.name = std::move(name);
  return keep(std::move(made));
}

ScoreTree table_node(std::string name, DType dtype, std::vector<TableExtent> extents,
                     std::vector<ScoreTree> indices) {
  if (indices.size() != extents.size())
    throw Error(errors::scores["table-indices-disagree"],
                "table '" + name + "' is read with " + std::to_string(indices.size()) + " indices",
                {name, std::to_string(indices.size()),
                 "one for each of its " + std::to_string(extents.size()) + " extents", ""});
  ScoreNode made;
  made.op = Op::load;
  made.dtype = dtype;
  made.name = std::move(name);
  made.extents = std::move(extents);
  made.operands = std::move(indices);
  return keep(std::move(made));
}

const ScoreTree& corner() {
  static const ScoreTree tree = node(
      Op::sub, i32, {leaf_node(ScoreNode::Leaf::seqlen_kv), leaf_node(ScoreNode::Leaf::seqlen_q)});
  return tree;
}

ScoreTree with_leaves(const ScoreTree& tree,
                      const std::function<ScoreTree(ScoreNode::Leaf leaf)>& leaf) {
  return replace(tree, [&](const ScoreNode& one) -> ScoreTree {
    return one.leaf == ScoreNode::Leaf::none ? nullptr : leaf(one.leaf);
  });
}

ScoreTree with_score(const ScoreTree& tree, const ScoreTree& score) {
  return with_leaves(
      tree, [&](ScoreNode::Leaf leaf) { return leaf == ScoreNode::Leaf::score ? score : nullptr; });
}

ScoreTree with_position(const ScoreTree& tree,
                        const std::function<ScoreTree(const ScoreTree& x)>& position) {
  return replace(tree, [&](const ScoreNode& one) -> ScoreTree {
    const bool is_position =
        one.op == Op::add && one.operands.size() == 2 && one.operands[1] == corner();
    return is_position ? position(one.operands[0]) : nullptr;
  });
}

std::vector<ScoreTree> arguments_of(std::span<const ScoreTree> trees) {
  std::vector<ScoreTree> found;
  std::set<const ScoreNode*> seen;
  for (const ScoreTree& tree : trees) collect(tree, seen, found);
  return found;
}

}  // namespace tilewright::library
