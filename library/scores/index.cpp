// See tilewright/library/index.hpp and mask.hpp: every operator is a node.
#include <limits>
#include <tilewright/error.hpp>

#include "scores/errors.hpp"
#include "scores/node.hpp"

namespace tilewright {

using library::leaf_node;
using library::node;
using Leaf = ScoreNode::Leaf;

namespace {

Index made(Op op, const Index& a, const Index& b) {
  return Index(node(op, i32, {a.tree(), b.tree()}));
}
Mask compared(Op op, const Index& a, const Index& b) {
  return Mask(node(op, b1, {a.tree(), b.tree()}));
}

}  // namespace

Index Index::of(std::int64_t number) {
  if (number < std::numeric_limits<std::int32_t>::min() ||
      number > std::numeric_limits<std::int32_t>::max())
    throw Error(errors::scores["index-too-large"], "an index has 32 bits",
                {"Index", std::to_string(number), "-2147483648 to 2147483647", ""});
  return Index(library::constant_node(static_cast<double>(number), i32));
}
std::string Index::text() const { return library::text_of(tree_); }

Index operator+(const Index& a, const Index& b) { return made(Op::add, a, b); }
Index operator-(const Index& a, const Index& b) { return made(Op::sub, a, b); }
Index operator*(const Index& a, const Index& b) { return made(Op::mul, a, b); }
Index operator/(const Index& a, const Index& b) { return made(Op::div, a, b); }
Index operator%(const Index& a, const Index& b) { return made(Op::mod, a, b); }
Index operator&(const Index& a, const Index& b) { return made(Op::bit_and, a, b); }
Index operator|(const Index& a, const Index& b) { return made(Op::bit_or, a, b); }
Index operator<<(const Index& a, const Index& b) { return made(Op::shl, a, b); }
Index operator>>(const Index& a, const Index& b) { return made(Op::shr, a, b); }
Index operator-(const Index& a) { return Index(node(Op::neg, i32, {a.tree()})); }
Index min(const Index& a, const Index& b) { return made(Op::minimum, a, b); }
Index max(const Index& a, const Index& b) { return made(Op::maximum, a, b); }
Index abs(const Index& a) { return Index(node(Op::abs, i32, {a.tree()})); }

Index Index::seqlen_q() { return Index(leaf_node(Leaf::seqlen_q)); }
Index Index::seqlen_kv() { return Index(leaf_node(Leaf::seqlen_kv)); }
Index Index::heads() { return Index(leaf_node(Leaf::heads)); }
Index position(const Index& q) { return q + Index(library::corner()); }

Index Index::scalar(std::string name, int default_value) {
  return Index(library::scalar_node(std::move(name), i32, default_value));
}

IndexTable::IndexTable(std::string name, std::vector<TableExtent> extents)
    : name_(std::move(name)), extents_(std::move(extents)) {
  library::require_table(name_, extents_);
}
Index IndexTable::read(std::vector<Index> at) const {
  std::vector<ScoreTree> indices;
  for (const Index& index : at) indices.push_back(index.tree());
  return Index(library::table_node(name_, i32, extents_, std::move(indices)));
}

Mask operator<(const Index& a, const Index& b) { return compared(Op::lt, a, b); }
Mask operator<=(const Index& a, const Index& b) { return compared(Op::le, a, b); }
Mask operator>(const Index& a, const Index& b) { return compared(Op::gt, a, b); }
Mask operator>=(const Index& a, const Index& b) { return compared(Op::ge, a, b); }
Mask operator==(const Index& a, const Index& b) { return compared(Op::eq, a, b); }
Mask operator!=(const Index& a, const Index& b) { return compared(Op::ne, a, b); }

// A mask without a tree shows every key.
Mask operator&&(const Mask& a, const Mask& b) {
  if (!a.tree()) return b;
  if (!b.tree()) return a;
  return Mask(node(Op::logical_and, b1, {a.tree(), b.tree()}));
}
Mask operator||(const Mask& a, const Mask& b) {
  if (!a.tree() || !b.tree()) return {};
  return Mask(node(Op::logical_or, b1, {a.tree(), b.tree()}));
}
Mask operator!(const Mask& a) {
  if (!a.tree()) return Mask(library::constant_node(0, b1));
  return Mask(node(Op::logical_not, b1, {a.tree()}));
}
std::string Mask::text() const { return tree_ ? library::text_of(tree_) : "true"; }

namespace detail {
Index batch_index() { return Index(leaf_node(Leaf::batch)); }
Index head_index() { return Index(leaf_node(Leaf::head)); }
Index row_index() { return Index(leaf_node(Leaf::row)); }
Index key_index() { return Index(leaf_node(Leaf::key)); }
}  // namespace detail

}  // namespace tilewright
