// Score trees as C++ text (node.hpp).
#include <fmt/format.h>

#include <string_view>
#include <unordered_map>

#include "scores/node.hpp"

namespace tilewright::library {
namespace {

std::string_view name_of(ScoreNode::Leaf leaf) {
  switch (leaf) {
    case ScoreNode::Leaf::batch: return "b";
    case ScoreNode::Leaf::head: return "h";
    case ScoreNode::Leaf::row: return "q";
    case ScoreNode::Leaf::key: return "k";
    case ScoreNode::Leaf::seqlen_q: return "seqlen_q";
    case ScoreNode::Leaf::seqlen_kv: return "seqlen_kv";
    case ScoreNode::Leaf::heads: return "heads";
    case ScoreNode::Leaf::score: return "s";
    case ScoreNode::Leaf::residue: return "residue";
    case ScoreNode::Leaf::none: break;
  }
  return "";
}

/// C++'s precedences; larger binds tighter. 0: written as a call.
struct Infix {
  std::string_view sign;
  int precedence = 0;
};
Infix infix(Op op) {
  switch (op) {
    case Op::mul: return {" * ", 9};
    case Op::div: return {" / ", 9};
    case Op::mod: return {" % ", 9};
    case Op::add: return {" + ", 8};
    case Op::sub: return {" - ", 8};
    case Op::shl: return {" << ", 7};
    case Op::shr: return {" >> ", 7};
    case Op::lt: return {" < ", 6};
    case Op::le: return {" <= ", 6};
    case Op::gt: return {" > ", 6};
    case Op::ge: return {" >= ", 6};
    case Op::eq: return {" == ", 5};
    case Op::ne: return {" != ", 5};
    case Op::bit_and: return {" & ", 4};
    case Op::bit_or: return {" | ", 3};
    case Op::logical_and: return {" && ", 2};
    case Op::logical_or: return {" || ", 1};
    default: return {};
  }
}

constexpr int unary = 10, primary = 11;

struct Text {
  std::string text;
  int precedence = primary;
};

/// Texts of parts that stand in a tree more than once. A tree that doubles itself would have more
/// characters than there is memory, so a part of more than `longest` is left out.
class Printer {
 public:
  Text print(const ScoreTree& tree) {
    const bool shared = tree.use_count() > 1;
    if (shared)
      if (const auto known = known_.find(tree.get()); known != known_.end()) return known->second;
    Text text = written(tree);
    if (text.text.size() > longest) text = {"..."};
    if (shared) known_.emplace(tree.get(), text);
    return text;
  }

 private:
  static constexpr std::size_t longest = 4000;

  std::string operand(const ScoreTree& tree, int at_least) {
    const Text text = print(tree);
    return text.precedence < at_least ? "(" + text.text + ")" : text.text;
  }

  std::string list(const std::vector<ScoreTree>& trees) {
    std::string text;
    for (const ScoreTree& tree : trees) text += (text.empty() ? "" : ", ") + print(tree).text;
    return text;
  }

  Text written(const ScoreTree& tree);

  std::unordered_map<const ScoreNode*, Text> known_;
};

Text Printer::written(const ScoreTree& tree) {
  const ScoreNode& node = *tree;
  if (node.leaf != ScoreNode::Leaf::none) return {std::string(name_of(node.leaf))};
  switch (node.op) {
    case Op::constant:
      if (node.dtype == b1) return {node.constant != 0 ? "true" : "false"};
      return {fmt::format("{}", node.constant), node.constant < 0 ? unary : primary};
    case Op::scalar_argument: return {node.name};
    case Op::load: return {node.name + "[" + list(node.operands) + "]"};
    case Op::cast: return print(node.operands[0]);
    case Op::neg: return {"-" + operand(node.operands[0], unary + 1), unary};
    case Op::logical_not: return {"!" + operand(node.operands[0], unary), unary};
    default: break;
  }
  if (node.op == Op::add && node.operands[1] == corner())
    return {"position(" + print(node.operands[0]).text + ")"};
  const Infix how = infix(node.op);
  if (how.precedence == 0)
    return {std::string(info(node.op).name) + "(" + list(node.operands) + ")"};
  // The right side of what is no sum of equals needs parentheses at the same precedence.
  return {operand(node.operands[0], how.precedence) + std::string(how.sign) +
              operand(node.operands[1], how.precedence + 1),
          how.precedence};
}

}  // namespace

std::string text_of(const ScoreTree& tree) { return Printer().print(tree).text; }

}  // namespace tilewright::library
