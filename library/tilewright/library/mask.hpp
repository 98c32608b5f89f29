// Which keys a row of queries sees: a predicate over batch, query head, row and key. It restricts
// the loop over the keys and changes no value; blocks in which it shows nothing are not visited,
// blocks that it does not cut run without it, both found by the compiler from the expression.
#pragma once

#include <tilewright/dsl/causal_alignment.hpp>
#include <tilewright/library/index.hpp>
#include <type_traits>

namespace tilewright {

/// A set of (row, key) pairs. Says nothing of lengths: one mask serves them all. Copies are cheap.
class Mask {
 public:
  /// Every key.
  Mask() = default;
  explicit Mask(ScoreTree tree) : tree_(std::move(tree)) {}
  /// [](Index batch, Index head, Index q, Index k) { return k <= q; }, or of (q, k) alone.
  template <typename Predicate>
  requires std::is_invocable_r_v<Mask, Predicate, Index, Index, Index, Index> ||
      std::is_invocable_r_v<Mask, Predicate, Index, Index>
      Mask(const Predicate& predicate);

  const ScoreTree& tree() const { return tree_; }  ///< null: every key
  std::string text() const;                        ///< "q - k < 128 && k >= 4"

 private:
  ScoreTree tree_;
};

Mask operator<(const Index& a, const Index& b);
Mask operator<=(const Index& a, const Index& b);
Mask operator>(const Index& a, const Index& b);
Mask operator>=(const Index& a, const Index& b);
Mask operator==(const Index& a, const Index& b);
Mask operator!=(const Index& a, const Index& b);
/// Both sides are asked, always.
Mask operator&&(const Mask& a, const Mask& b);
Mask operator||(const Mask& a, const Mask& b);
Mask operator!(const Mask& a);

namespace detail {
/// The four that predicates and score functions depend on.
Index batch_index();
Index head_index();
Index row_index();
Index key_index();
}  // namespace detail

template <typename Predicate>
requires std::is_invocable_r_v<Mask, Predicate, Index, Index, Index, Index> ||
    std::is_invocable_r_v<Mask, Predicate, Index, Index>
    Mask::Mask(const Predicate& predicate) {
  const Index q = detail::row_index(), k = detail::key_index();
  if constexpr (std::is_invocable_r_v<Mask, Predicate, Index, Index>)
    *this = predicate(q, k);
  else
    *this = predicate(detail::batch_index(), detail::head_index(), q, k);
}

/// A row sees the keys that are not after it. With bottom_right the last row sees the last key;
/// where there are more rows than keys, the first rows see none. With top_left row 0 sees key 0.
Mask causal(CausalAlignment alignment = bottom_right);

/// Keys from `left` before the row's position to `right` after it, both included; -1: no limit on
/// that side. As flash-attention's window_size. Numbers of the launch: window_left, window_right.
/// Throws Error{invalid_argument} for a number below -1.
Mask window(int left, int right);

/// `width` keys that end at the row's own (Mistral 7B): window(width - 1, 0). Throws
/// Error{invalid_argument} for a width below 1.
Mask sliding_window(int width);

/// The first `length` keys, and causally the rest (prefix LM). Number of the launch: prefix.
Mask prefix_lm(int length);

/// Causal within chunks of `width` positions (Llama 4). Throws Error{invalid_argument} for a width
/// below 1. `width` is the kernel's, not the launch's.
Mask chunked(int width);

/// Blocks of `size` rows by `size` keys are visible or not, for each query head, as "blocks" says,
/// an i32 table [heads, blocks of rows, blocks of keys] of the launch. `size` is the kernel's. To
/// visit the visible ones alone: Attention::blocks. Throws Error{invalid_argument} for a size
/// below 1.
Mask block_matrix(int size);

/// The last `size` rows and keys are a tree of drafts (SpecInfer, EAGLE): each sees the keys before
/// the tree and those nodes whose bit is set in "ancestors", an i32 table [size, words] of the
/// launch (tree_ancestors makes it); rows before the tree see causally. `size` is a number of the
/// launch: draft_tokens. Throws Error{invalid_argument} for a size below 0.
Mask tree(int size);

/// 32 nodes a word, the lowest bit first: node i sees node j where sees[i][j]. Row-major, rows of
/// (size + 31) / 32 words, at least one. Throws Error{invalid_argument} where it is not square.
std::vector<std::int32_t> tree_ancestors(const std::vector<std::vector<bool>>& sees);

/// Rows and keys are the tokens of a grid, row by row: each sees the `size` x `size` square around
/// it, which moves inward at the edges (NATTEN); an axis shorter than that is seen whole. The
/// numbers are the kernel's, not the launch's. Throws Error{invalid_argument} for numbers below 1.
Mask neighborhood(int height, int width, int size);

}  // namespace tilewright
