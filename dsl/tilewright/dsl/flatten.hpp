// Dimensions that pack others. flatten(M, G) numbers the pairs of an index along M and one along G
// as the elements of a row-major array are numbered, the last dimension fastest:
//   index(GM) = index(M) * extent(G) + index(G),  extent(GM) = extent(M) * extent(G).
// It stands in the grid, in loops and in a Var like any dimension, so that the query heads of one
// key head fill the rows of one tile (PackGQA of FlashAttention-3, Shah et al. 2024, arXiv
// 2407.08608). No tensor has it for an axis: gm[M], gm[G] are the indices of a tile's elements
// along the tensor's own axes, and GM[M] names such a coordinate to index, position and causal.
#pragma once

#include "tilewright/dsl/coordinates.hpp"
#include "tilewright/dsl/grid.hpp"

namespace tilewright {
namespace detail {

template <std::size_t A, std::size_t B>
consteval Name<A + B> packed_name(const Name<A>& outer, const Name<B>& inner) {
  char text[A + B]{};
  for (std::size_t i = 0; i + 1 < A; ++i) text[i] = outer.text[i];
  text[A - 1] = packing;
  for (std::size_t i = 0; i < B; ++i) text[A + i] = inner.text[i];
  return Name<A + B>(text);
}
template <Name... names>
struct Packed;
template <Name one>
struct Packed<one> {
  static constexpr auto name = one;
};
template <Name first, Name second, Name... rest>
struct Packed<first, second, rest...> {
  static constexpr auto name = Packed<packed_name(first, second), rest...>::name;
};

/// Where `part` starts among the names that `packed` joins; npos: it is none of them.
constexpr std::size_t find_part(std::string_view packed, std::string_view part) {
  for (std::size_t at = 0; at <= packed.size();) {
    const std::size_t end = std::min(packed.find(packing, at), packed.size());
    if (packed.substr(at, end - at) == part) return at;
    at = end + 1;
  }
  return std::string_view::npos;
}
constexpr bool no_part_twice(std::string_view packed) {
  for (std::size_t at = 0; at <= packed.size();) {
    const std::size_t end = std::min(packed.find(packing, at), packed.size());
    if (find_part(packed, packed.substr(at, end - at)) != at) return false;
    at = end + 1;
  }
  return true;
}

template <typename... Parts>
inline constexpr bool are_dimensions = sizeof...(Parts) >= 2;
template <typename First, typename... Rest>
inline constexpr bool are_dimensions<First, Rest...> = sizeof...(Rest) >= 1 &&
                                                       ((term_kind<First> == TermKind::dimension) &&
                                                        ... &&
                                                        (term_kind<Rest> == TermKind::dimension));
template <typename Flattened>
inline constexpr bool packs_each_once = no_part_twice(Flattened::name);
template <typename Flattened, typename Part>
inline constexpr bool packs_the_dimension =
    Flattened::name !=
    Part::name&& find_part(Flattened::name, Part::name) != std::string_view::npos;

/// index(packed) / (what runs faster than `part`) % extent(part), without what changes nothing.
[[gnu::noinline]] inline ValueId record_coordinate(const Statement& statement,
                                                   std::string_view packed, std::string_view part,
                                                   ValueId block) {
  const std::array<std::string_view, 1> dims{packed};
  const auto extent_of = [&](std::string_view dim) {
    return record_node(statement, Op::extent, i32, {}, {.name = dim}, {});
  };
  std::vector<IndexSpec> tile;
  if (block != no_value) tile.push_back({IndexSpec::Kind::block, std::string(packed), block});
  ValueId at = record_node(statement, Op::index, i32, dims, {.name = packed}, {}, tile);
  const std::size_t start = find_part(packed, part), end = start + part.size();
  if (end < packed.size()) {
    const std::array<ValueId, 2> both{at, extent_of(packed.substr(end + 1))};
    at = record_node(statement, Op::div, i32, dims, {}, both);
  }
  if (start > 0) {
    const std::array<ValueId, 2> both{at, extent_of(part)};
    at = record_node(statement, Op::mod, i32, dims, {}, both);
  }
  return at;
}

/// i32 [packed]: each element's index along `part`, in one tile or, without a block, in the
/// innermost loop or the grid.
template <Name packed, Name part, bool of_block>
struct CoordinateIndex : Traced<Tile<i32, Dim<packed>>> {
  using part_dim = Dim<part>;
  static constexpr std::string_view name = Dim<part>::name;
  ValueId number = no_value;
  std::uint32_t trace = 0;
  constexpr CoordinateIndex(ValueId block, std::uint32_t serial) : number(block), trace(serial) {}

  ValueId record_self(const Statement& statement) const {
    if constexpr (of_block) checked(number, trace, statement);
    return record_coordinate(statement, Dim<packed>::name, name, number);
  }
};

template <typename X>
inline constexpr bool is_block_coordinate = false;
template <Name packed, Name part>
inline constexpr bool is_block_coordinate<CoordinateIndex<packed, part, true>> = true;

}  // namespace detail

/// GM[M]: dimension M under the flattened dimension GM, which index, position and causal take.
template <Name packed, Name part>
struct Coordinate {
  static constexpr std::string_view name = Dim<part>::name;
};

template <Name packed, Name part>
struct TermOf<Coordinate<packed, part>> {
  static constexpr TermKind kind = TermKind::dimension;
};
template <Name packed, Name part, bool of_block>
struct TermOf<detail::CoordinateIndex<packed, part, of_block>> {
  static constexpr TermKind kind = TermKind::tile;
  static constexpr const auto& operand(const detail::CoordinateIndex<packed, part, of_block>& x) {
    return x;
  }
};

/// `inline constexpr auto GM = flatten(M, G);` packs M and G into one dimension, the last one
/// fastest. Flattened dimensions may be packed again: flatten(flatten(A, B), C) is flatten(A, B,
/// C).
template <typename... Parts>
constexpr auto flatten(Parts...) {
  if constexpr (!detail::are_dimensions<Parts...>) {
    static_assert(detail::are_dimensions<Parts...>,
                  "flatten(M, G): takes two dimensions or more, not their blocks");
    return Refused{};
  } else {
    return []<Name... names>(Dim<names>...) {
      using Flattened = Dim<detail::Packed<names...>::name>;
      static_assert(detail::packs_each_once<Flattened>,
                    "flatten(M, G): the dimensions must differ");
      return Flattened{};
    }
    (Parts{}...);
  }
}

template <Name dim_name>
template <Name part>
constexpr auto Dim<dim_name>::operator[](Dim<part>) const {
  constexpr bool packs = detail::packs_the_dimension<Dim, Dim<part>>;
  static_assert(detail::packs_the_dimension<Dim, Dim<part>>,
                "GM[M]: GM must be flatten(…) of dimensions with M among them");
  if constexpr (packs) {
    return Coordinate<dim_name, part>{};
  } else {
    return Refused{};
  }
}

template <typename D>
template <Name part>
constexpr auto Block<D>::operator[](Dim<part>) const {
  constexpr bool packs = detail::packs_the_dimension<D, Dim<part>>;
  static_assert(detail::packs_the_dimension<D, Dim<part>>,
                "gm[M]: gm must be a block of flatten(…) of dimensions with M among them");
  if constexpr (packs) {
    return []<Name packed>(Dim<packed>, ValueId number, std::uint32_t serial) {
      return detail::CoordinateIndex<packed, part, true>(number, serial);
    }(D{}, number, trace);
  } else {
    return Refused{};
  }
}

/// i32 [GM]: the index along M of each element along GM.
template <Name packed, Name part>
constexpr auto index(Coordinate<packed, part>) {
  return detail::CoordinateIndex<packed, part, false>(no_value, 0);
}
template <Name packed, Name part, bool of_block>
constexpr auto index(const detail::CoordinateIndex<packed, part, of_block>& coordinate) {
  return coordinate;
}
constexpr Refused index(Refused) { return {}; }

/// i32 [GM]: index(GM[M]) + extent(N) - extent(M), N being the dimension of the loop it is used in.
template <Name packed, Name part>
constexpr auto position(Coordinate<packed, part> rows) {
  return detail::Position<Coordinate<packed, part>>(rows, {}, bottom_right);
}
template <Name packed, Name part>
constexpr auto position(const detail::CoordinateIndex<packed, part, true>& rows) {
  return detail::Position<detail::CoordinateIndex<packed, part, true>>(rows, {}, bottom_right);
}
constexpr Refused position(Refused) { return {}; }

/// b1 [GM, N]: causal(M, N) for the element of M that each row of GM stands for.
template <Name packed, Name part, Name n>
constexpr auto causal(Coordinate<packed, part> rows, Dim<n> keys,
                      CausalAlignment alignment = bottom_right) {
  return detail::Position<Coordinate<packed, part>>(rows, Dim<n>::name, alignment) >= index(keys);
}
template <Name packed, Name part, Name n>
constexpr auto causal(const detail::CoordinateIndex<packed, part, true>& rows, Dim<n> keys,
                      CausalAlignment alignment = bottom_right) {
  using Rows = detail::CoordinateIndex<packed, part, true>;
  return detail::Position<Rows>(rows, Dim<n>::name, alignment) >= index(keys);
}
template <Name n>
constexpr Refused causal(Refused, Dim<n>, CausalAlignment = bottom_right) {
  return {};
}

}  // namespace tilewright
