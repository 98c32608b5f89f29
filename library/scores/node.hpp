// What is behind Index, Mask and Score: one tree of operations without types in C++, from which the
// kernel (attention/recorded.hpp), the host's numbers (evaluate.hpp) and texts are made.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <tilewright/dsl/dtype.hpp>
#include <tilewright/dsl/op.hpp>
#include <tilewright/library/score.hpp>

namespace tilewright {

struct ScoreNode {
  /// What no operation gives.
  enum class Leaf : std::uint8_t {
    none,
    batch,
    head,
    row,
    key,
    seqlen_q,
    seqlen_kv,
    heads,
    score,    ///< scaled, before any change
    residue,  ///< of rows and keys regrouped by it (attention/regroup.hpp)
  };
  Leaf leaf = Leaf::none;
  Op op = Op::constant;  ///< constant, scalar_argument, load, or one of pointwise operations
  DType dtype = i32;     ///< i32, f32 or b1
  double constant = 0;   ///< constant; scalar_argument: the default
  std::string name;      ///< scalar_argument, load: the launch's name
  std::vector<TableExtent> extents;  ///< load: of the table
  std::vector<ScoreTree> operands;   ///< load: its indices
};

namespace library {

ScoreTree leaf_node(ScoreNode::Leaf leaf);
ScoreTree constant_node(double value, DType dtype);
/// A pointwise operation; of constants alone, its result.
ScoreTree node(Op op, DType dtype, std::vector<ScoreTree> operands);
ScoreTree scalar_node(std::string name, DType dtype, double default_value);
ScoreTree table_node(std::string name, DType dtype, std::vector<TableExtent> extents,
                     std::vector<ScoreTree> indices);
/// Throws Error{invalid_argument} unless `name` is a C identifier that the kernel does not use.
void require_name(const std::string& name);

void require_table(const std::string& name, const std::vector<TableExtent>& extents);

/// seqlen_kv - seqlen_q, one and the same node: how far rows stand behind their number.
const ScoreTree& corner();

/// `tree` with every score replaced.
ScoreTree with_score(const ScoreTree& tree, const ScoreTree& score);

/// `tree` with every leaf replaced that `leaf` makes something of.
ScoreTree with_leaves(const ScoreTree& tree,
                      const std::function<ScoreTree(ScoreNode::Leaf leaf)>& leaf);

/// `tree` with every position(x), x + corner(), replaced by what `position` makes of x.
ScoreTree with_position(const ScoreTree& tree,
                        const std::function<ScoreTree(const ScoreTree& x)>& position);

/// As C++, with as few parentheses as its precedences allow; "..." for a part of more than 4000
/// characters.
std::string text_of(const ScoreTree& tree);

/// The scalars and tables of a tree, each once, in the order they are met. Throws
/// Error{invalid_argument} where one name means two things.
std::vector<ScoreTree> arguments_of(std::span<const ScoreTree> trees);

}  // namespace library
}  // namespace tilewright
