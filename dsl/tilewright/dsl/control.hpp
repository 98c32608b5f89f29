// Loops and branches. `for_blocks` walks the tiles of a dimension that a mask or a list leaves,
// `for_range` counts, `when` runs its body or not. The body is C++ that runs once, while the kernel
// is traced. A mask restricts the domain and changes no value: inside the loop, reductions over its
// dimension see visible elements only.
#pragma once

#include "tilewright/dsl/block_list.hpp"
#include "tilewright/dsl/grid.hpp"

namespace tilewright {
namespace detail {

template <typename Shape>
inline constexpr bool is_mask = Shape::dtype == b1;
template <typename Shape>
inline constexpr bool is_count = Shape::rank == 0 && is_integer(Shape::dtype);
template <typename Shape>
inline constexpr bool is_uniform_condition = Shape::rank == 0 && Shape::dtype == b1;
template <typename Body>
inline constexpr bool takes_nothing = std::is_invocable_v<Body>;
template <typename Body, typename Argument>
inline constexpr bool takes_the_loop_index = std::is_invocable_v<Body, Argument>;

/// Keeps Trace::loops right also when the body throws.
class OpenLoop {
 public:
  OpenLoop(Trace& trace, std::string_view dim) : trace_(trace) { trace_.loops.push_back(dim); }
  ~OpenLoop() { trace_.loops.pop_back(); }
  OpenLoop(const OpenLoop&) = delete;
  OpenLoop& operator=(const OpenLoop&) = delete;

 private:
  Trace& trace_;
};

/// Records the mask; false when it was refused.
template <typename Mask>
ValueId record_mask(const Mask& mask, const Statement& statement) {
  const auto operand = as_operand(mask);
  using E = std::remove_cvref_t<decltype(operand)>;
  if constexpr (is_refused<E>) {
    return no_value;
  } else {
    static_assert(is_mask<ShapeOf<E>>, "for_blocks(N, mask, body): the mask must be b1");
    if constexpr (is_mask<ShapeOf<E>>) {
      return record(adapted<b1>(operand), statement);
    } else {
      return no_value;
    }
  }
}

template <typename D, typename List, typename Mask, typename Body>
void block_loop(const List& list, const Mask& mask, const Body& body,
                const std::source_location& place) {
  const Statement statement("for_blocks", place);
  Gate& gate = statement.trace.gate();
  TileList listed;
  if constexpr (is_list_row<List>) listed = list.recorded(statement);
  const ValueId number = gate.open_blocks(D::name, statement.where);
  if constexpr (is_list_row<List>) gate.follow(listed, statement.where);
  const Block<D> block{number, statement.trace.serial()};
  {
    const OpenLoop open(statement.trace, D::name);
    if constexpr (std::is_invocable_v<Mask, Block<D>>) {
      gate.begin_body(record_mask(mask(block), statement));
    } else if constexpr (std::is_same_v<Mask, std::nullptr_t>) {
      gate.begin_body(no_value);
    } else {
      gate.begin_body(record_mask(mask, statement));
    }
    body(block);
  }
  gate.close();
}

/// The same over a list, once that is known to be one of tiles of D.
template <typename D, typename List, typename Mask, typename Body>
void listed_loop(const List& list, const Mask& mask, const Body& body,
                 const std::source_location& place) {
  if constexpr (is_refused<List>) {
    return;
  } else if constexpr (!is_list_row<List>) {
    static_assert(is_list_row<List>,
                  "for_blocks(N, list, …): list must be a row of a BlockList, list(b, h, m)");
  } else if constexpr (!lists_tiles_of<List, D>) {
    static_assert(lists_tiles_of<List, D>,
                  "for_blocks(N, list, …): the list must be one of tiles of N");
  } else {
    block_loop<D>(list, mask, body, place);
  }
}

}  // namespace detail

/// for_blocks(N, mask, body): body(n) for each tile of N in which `mask` leaves something. The mask
/// is a b1 expression, or a function of the block that gives one. for_blocks(N, list(b, h, m),
/// body): for each tile of that row of a BlockList, in its order; all their pairs are visible.
template <Name n, typename Mask, typename Body>
void for_blocks(Dim<n>, const Mask& mask, const Body& body,
                const std::source_location place = std::source_location::current()) {
  static_assert(detail::takes_the_loop_index<Body, Block<Dim<n>>>,
                "for_blocks(N, mask, body): body must take the block, [&](auto n) { … }");
  if constexpr (detail::takes_the_loop_index<Body, Block<Dim<n>>>) {
    if constexpr (detail::is_about_a_list<Mask>)
      detail::listed_loop<Dim<n>>(mask, nullptr, body, place);
    else
      detail::block_loop<Dim<n>>(nullptr, mask, body, place);
  }
}

/// for_blocks(N, list(b, h, m), mask, body): body(n) for each tile of that row of a BlockList, in
/// its order. In a tile that the list marks as cut the mask applies; in the others it is not asked:
/// whoever made the list says that it shows all of their pairs.
template <Name n, typename List, typename Mask, typename Body>
requires(!std::is_same_v<Body, std::source_location>) void for_blocks(
    Dim<n>, const List& list, const Mask& mask, const Body& body,
    const std::source_location place = std::source_location::current()) {
  static_assert(detail::takes_the_loop_index<Body, Block<Dim<n>>>,
                "for_blocks(N, mask, body): body must take the block, [&](auto n) { … }");
  if constexpr (detail::takes_the_loop_index<Body, Block<Dim<n>>>)
    detail::listed_loop<Dim<n>>(list, mask, body, place);
}

/// for_blocks(N, body): every tile of N.
template <Name n, typename Body>
requires(!Operand<Body>) void for_blocks(
    Dim<n>, const Body& body, const std::source_location place = std::source_location::current()) {
  static_assert(detail::takes_the_loop_index<Body, Block<Dim<n>>>,
                "for_blocks(N, body): body must take the block, [&](auto n) { … }");
  if constexpr (detail::takes_the_loop_index<Body, Block<Dim<n>>>)
    detail::block_loop<Dim<n>>(nullptr, nullptr, body, place);
}

/// for_range(count, body): body(i) for i32 i = 0 … count-1; count may be computed or loaded.
template <Operand Count, typename Body>
void for_range(const Count& count, const Body& body,
               const std::source_location place = std::source_location::current()) {
  const auto operand = detail::as_operand(count);
  using E = std::remove_cvref_t<decltype(operand)>;
  if constexpr (!is_refused<E>) {
    static_assert(detail::is_count<detail::ShapeOf<E>>,
                  "for_range(count, body): count must be an i32 number without dimensions");
    if constexpr (detail::is_count<detail::ShapeOf<E>>) {
      const detail::Statement statement("for_range", place);
      const ValueId trips = detail::record(detail::adapted<i32>(operand), statement);
      const ValueId counter = statement.trace.gate().open_range(trips, statement.where);
      body(Value<Tile<i32>>(counter, statement.trace.serial()));
      statement.trace.gate().close();
    }
  }
}

/// when(condition, body): body() where the condition holds for this program of the grid. A Var
/// assigned inside has its new value after it, or the old one; a value made inside ends there.
template <Operand Condition, typename Body>
void when(const Condition& condition, const Body& body,
          const std::source_location place = std::source_location::current()) {
  const auto operand = detail::as_operand(condition);
  using E = std::remove_cvref_t<decltype(operand)>;
  if constexpr (!is_refused<E>) {
    using Given = detail::ShapeOf<E>;
    if constexpr (!detail::is_uniform_condition<Given>) {
      static_assert(detail::is_uniform_condition<Given>,
                    "when(condition, body): the condition must be b1 without dimensions");
    } else if constexpr (!detail::takes_nothing<Body>) {
      static_assert(detail::takes_nothing<Body>,
                    "when(condition, body): body must take nothing, [&] { … }");
    } else {
      const detail::Statement statement("when", place);
      const ValueId holds = detail::record(detail::adapted<b1>(operand), statement);
      statement.trace.gate().open_when(holds, statement.where);
      body();
      statement.trace.gate().close();
    }
  }
}

}  // namespace tilewright
