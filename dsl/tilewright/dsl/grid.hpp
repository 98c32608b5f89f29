// The launch grid: `each` gives one program per index, `blocks` one per tile. Both at the top of a
// kernel, each dimension once; the order of the calls is the order of the grid, outermost first.
#pragma once

#include "tilewright/dsl/record.hpp"
#include "tilewright/errors.hpp"

namespace tilewright {

/// The index of this program along D: an i32 number that knows which dimension it indexes.
template <typename D>
struct Each {
  using dim = D;
  ValueId id;
  std::uint32_t trace;
};

/// The tile of D at hand, in a grid or a loop: names an axis of a tensor, has no value of its own.
template <typename D>
struct Block {
  using dim = D;
  ValueId number;
  std::uint32_t trace;
  /// Of a flattened dimension, gm[M]: the indices along M in this tile. Defined in flatten.hpp.
  template <Name part>
  constexpr auto operator[](Dim<part>) const;
};

template <typename D>
struct TermOf<Each<D>> {
  static constexpr TermKind kind = TermKind::tile;
  static Value<Tile<i32>> operand(const Each<D>& x) { return {x.id, x.trace}; }
};
template <typename D>
struct TermOf<Block<D>> {
  static constexpr TermKind kind = TermKind::block;
};

/// One program per index of B.
template <Name b>
Each<Dim<b>> each(Dim<b>, const std::source_location place = std::source_location::current()) {
  const detail::Statement statement("each", place);
  return {statement.trace.gate().grid_each(Dim<b>::name, statement.where),
          statement.trace.serial()};
}

/// One program per tile of M, of a size the schedule chooses, or of `tile` elements.
template <Name m>
Block<Dim<m>> blocks(Dim<m>, int tile = 0,
                     const std::source_location place = std::source_location::current()) {
  const detail::Statement statement("blocks", place);
  if (tile < 0 || tile > 65536)
    throw Error(errors::dsl["grid-tile-out-of-range"],
                "blocks(M, tile): the tile must hold elements",
                {std::string(Dim<m>::name), std::to_string(tile),
                 "1 … 65536, or 0 for the schedule's choice", detail::short_place(place)});
  return {statement.trace.gate().grid_blocks(Dim<m>::name, tile, statement.where),
          statement.trace.serial()};
}

}  // namespace tilewright
