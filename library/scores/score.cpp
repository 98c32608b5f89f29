// See tilewright/library/score.hpp: every operator is a node.
#include <tilewright/library/score.hpp>

#include "scores/node.hpp"

namespace tilewright {

using library::node;

namespace {

Score made(Op op, const Score& a) { return Score(node(op, f32, {a.tree()})); }
Score made(Op op, const Score& a, const Score& b) {
  return Score(node(op, f32, {a.tree(), b.tree()}));
}

}  // namespace

Score::Score(double number) : tree_(library::constant_node(number, f32)) {}
Score::Score(const Index& number) : tree_(node(Op::cast, f32, {number.tree()})) {}
std::string Score::text() const { return library::text_of(tree_); }

Score operator+(const Score& a, const Score& b) { return made(Op::add, a, b); }
Score operator-(const Score& a, const Score& b) { return made(Op::sub, a, b); }
Score operator*(const Score& a, const Score& b) { return made(Op::mul, a, b); }
Score operator/(const Score& a, const Score& b) { return made(Op::div, a, b); }
Score operator-(const Score& a) { return made(Op::neg, a); }
Score min(const Score& a, const Score& b) { return made(Op::minimum, a, b); }
Score max(const Score& a, const Score& b) { return made(Op::maximum, a, b); }
Score abs(const Score& a) { return made(Op::abs, a); }
Score exp(const Score& a) { return made(Op::exp, a); }
Score exp2(const Score& a) { return made(Op::exp2, a); }
Score log(const Score& a) { return made(Op::log, a); }
Score log2(const Score& a) { return made(Op::log2, a); }
Score tanh(const Score& a) { return made(Op::tanh, a); }
Score where(const Mask& condition, const Score& if_true, const Score& if_false) {
  if (!condition.tree()) return if_true;
  return Score(node(Op::select, f32, {condition.tree(), if_true.tree(), if_false.tree()}));
}

Score Score::scalar(std::string name, double default_value) {
  return Score(library::scalar_node(std::move(name), f32, default_value));
}

ScoreTable::ScoreTable(std::string name, std::vector<TableExtent> extents)
    : name_(std::move(name)), extents_(std::move(extents)) {
  library::require_table(name_, extents_);
}
Score ScoreTable::read(std::vector<Index> at) const {
  std::vector<ScoreTree> indices;
  for (const Index& index : at) indices.push_back(index.tree());
  return Score(library::table_node(name_, f32, extents_, std::move(indices)));
}

namespace detail {
Score raw_score() { return Score(library::leaf_node(ScoreNode::Leaf::score)); }
}  // namespace detail

std::string ScoreMod::text() const { return tree_ ? library::text_of(tree_) : "s"; }

ScoreMod operator|(const ScoreMod& f, const ScoreMod& g) {
  if (!f.tree()) return g;
  if (!g.tree()) return f;
  return ScoreMod(library::with_score(g.tree(), f.tree()));
}

}  // namespace tilewright
