// Where an element stands: logical indices, extents, and positions aligned at the end. They mean
// what they mean where they are recorded, so a mask may be written before the loop it restricts.
// The causal masks are written with them; any other predicate is written the same way.
#pragma once

#include "tilewright/dsl/causal_alignment.hpp"
#include "tilewright/dsl/pointwise.hpp"
#include "tilewright/dsl/record.hpp"
#include "tilewright/errors.hpp"

namespace tilewright {

/// i32 [M]: the index of each element along M, counted from the start of the tensor, not of the
/// tile.
template <Name m>
constexpr auto index(Dim<m>) {
  return Expression<Tile<i32, Dim<m>>, Op::index>(Details{.name = Dim<m>::name});
}

/// i32 [D]: 0, 1, … |tile| - 1: the index of each element along D, counted from the start of its
/// tile. index(D) counts from the start of the tensor, and so does not depend on where tiles begin;
/// iota(D) does, and in a dimension whose tile the schedule chooses its values are the schedule's.
/// Of a dimension used whole the two are the same.
template <Name d>
constexpr auto iota(Dim<d>) {
  return Expression<Tile<i32, Dim<d>>, Op::iota>(Details{.name = Dim<d>::name});
}

/// i32: how long M is, for this launch.
template <Name m>
constexpr auto extent(Dim<m>) {
  return Expression<Tile<i32>, Op::extent>(Details{.name = Dim<m>::name});
}

namespace detail {

/// index(M) + extent(N) - extent(M); N is the innermost loop's dimension unless `other` names it.
/// `Row` is a dimension, or a coordinate under a flattened one.
template <typename Row>
struct Position : Traced<shape_of<decltype(index(std::declval<Row>()))>> {
  Row row;
  std::string_view other;
  CausalAlignment alignment;
  constexpr Position(Row r, std::string_view n, CausalAlignment a)
      : row(r), other(n), alignment(a) {}

  ValueId record_self(const Statement& statement) const {
    const auto at = index(row);
    if (alignment == CausalAlignment::top_left) return record(at, statement);
    std::string_view n = other;
    if (n.empty()) {
      if (statement.trace.loops.empty())
        throw Error(
            errors::dsl["position-outside-loop"],
            "position(" + std::string(Row::name) +
                ") stands outside for_blocks: it counts from the end of the loop's dimension",
            {std::string(Row::name), "", "", short_place(statement.place)});
      n = statement.trace.loops.back();
    }
    if (n == Row::name) return record(at, statement);
    const Expression<Tile<i32>, Op::extent> length(Details{.name = n});
    const Expression<Tile<i32>, Op::extent> rows(Details{.name = Row::name});
    return record(at + (length - rows), statement);
  }
};

}  // namespace detail

template <typename Row>
struct TermOf<detail::Position<Row>> {
  static constexpr TermKind kind = TermKind::tile;
  static constexpr const auto& operand(const detail::Position<Row>& x) { return x; }
};

/// i32 [M]: index(M) + extent(N) - extent(M), N being the dimension of the loop it is used in.
template <Name m>
constexpr auto position(Dim<m> rows) {
  return detail::Position<Dim<m>>(rows, {}, bottom_right);
}

/// b1 [M, N]: row m sees key n when n is not after it. position(M) >= index(N), or, with top_left,
/// index(M) >= index(N).
template <Name m, Name n>
constexpr auto causal(Dim<m> rows, Dim<n> keys, CausalAlignment alignment = bottom_right) {
  return detail::Position<Dim<m>>(rows, Dim<n>::name, alignment) >= index(keys);
}

}  // namespace tilewright
