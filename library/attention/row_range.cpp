// See row_range.hpp.
#include "attention/row_range.hpp"

#include "scores/node.hpp"

namespace tilewright::library {
namespace {

using Leaf = ScoreNode::Leaf;
constexpr const char *first_row = "first_row", *all_rows = "all_rows";

ScoreTree of_range(const ScoreTree& tree) {
  if (!tree) return tree;
  const ScoreTree row = (Index(leaf_node(Leaf::row)) + Index::scalar(first_row, 0)).tree();
  const ScoreTree rows = Index::scalar(all_rows, 0).tree();
  return with_leaves(tree, [&](Leaf leaf) -> ScoreTree {
    return leaf == Leaf::row ? row : leaf == Leaf::seqlen_q ? rows : nullptr;
  });
}

}  // namespace

AttentionParts over_rows(AttentionParts parts, const char* name) {
  parts.mask = Mask(of_range(parts.mask.tree()));
  parts.score_mod = ScoreMod(of_range(parts.score_mod.tree()));
  parts.row_range = name;
  return parts;
}

bool is_of_row_range(const std::string& name) { return name == first_row || name == all_rows; }

std::map<std::string, double> numbers_of(const AttentionParts& parts, const RowRange& range,
                                         std::int64_t seqlen_q) {
  std::map<std::string, double> numbers;
  for (const ScoreTree& one : arguments_of(parts.trees())) {
    if (one->name == first_row) numbers[first_row] = static_cast<double>(range.first);
    if (one->name == all_rows) numbers[all_rows] = static_cast<double>(seqlen_q);
  }
  return numbers;
}

std::vector<Binding> of_rows(const AttentionParts& parts, const RowRange& range,
                             const std::vector<Binding>& all) {
  std::vector<Binding> launch;
  std::int64_t seqlen_q = 0;
  for (const Binding& one : all) {
    launch.push_back(one);
    if (one.name != "q" && one.name != "out" && one.name != "lse") continue;
    seqlen_q = one.tensor.extents[2];
    launch.back().tensor = one.tensor.slice(2, range.first, range.count);
  }
  for (const auto& [name, number] : numbers_of(parts, range, seqlen_q))
    launch.emplace_back(name, number);
  return launch;
}

}  // namespace tilewright::library
